from tf_led.testing.manual import chapters, library_guide, long_chapter


def test_chapters_have_each_title_once_and_no_line_below_it():
    found = chapters()
    assert len(found) > 60
    assert len({one.title for one in found}) == len(found)
    assert not any(one.text.startswith(("***", "===")) for one in found)


def test_a_limit_leaves_longer_ones_out():
    assert max(len(one.text) for one in chapters(1500)) <= 1500
    assert 10 < len(chapters(1500)) < len(chapters())


def test_the_long_chapter_is_none_of_the_others():
    assert len(long_chapter()) > 50_000
    assert not any(long_chapter() == one.text for one in chapters(10**6))


def test_the_guide_is_of_many_modules():
    text = library_guide()
    assert len(text.split()) > 4000
    for words in ("Command-line parsing library", "Heap queue", "ZIP files"):
        assert words in text
