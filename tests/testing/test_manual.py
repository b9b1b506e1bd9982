from tf_led.testing.manual import chapters, long_chapter


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
