"""Files written whole or not at all, and folders of which one version is current."""
