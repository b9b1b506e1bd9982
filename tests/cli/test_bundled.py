import pytest

from tf_led.cli import bundled
from tf_led.cli.errors import UsageError


def test_a_model_that_is_named_is_taken(capsys):
    assert bundled.model_or_bundled("here") == "here"
    assert capsys.readouterr().err == ""


def test_the_bundled_model_is_announced(tmp_path, monkeypatch, capsys):
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path)
    assert bundled.model_or_bundled(None) == str(tmp_path)
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "bundled model: good for " in err and ", not" in err


def test_without_one_a_model_must_be_named(tmp_path, monkeypatch):
    monkeypatch.setattr(bundled, "BUNDLED", tmp_path / "none")
    with pytest.raises(UsageError, match="no bundled model: give --model"):
        bundled.model_or_bundled(None)
