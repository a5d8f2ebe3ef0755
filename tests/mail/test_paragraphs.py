from postroom.mail.paragraphs import as_html


def test_blank_lines_make_paragraphs_and_line_ends_breaks():
    assert as_html("Dear {{ name }},\r\n\r\nhere it is.\nBye") == (
        "<p>Dear {{ name }},</p>\n<p>here it is.<br>\nBye</p>"
    )


def test_inline_tags_stay():
    assert as_html("A <b>bold</b> word") == "<p>A <b>bold</b> word</p>"


def test_html_stays_as_written():
    assert as_html("<p>a</p>\n\n<p>b</p>") == "<p>a</p>\n\n<p>b</p>"


def test_a_list_among_lines_stays_a_list():
    assert as_html("Dear Ann,\n\n<ul>\n<li>one</li>\n</ul>\n\nBye") == (
        "<p>Dear Ann,</p>\n<ul>\n<li>one</li>\n</ul>\n<p>Bye</p>"
    )


def test_a_break_that_was_typed_is_not_doubled():
    assert as_html("one<br>\ntwo\nthree") == "<p>one<br>\ntwo<br>\nthree</p>"


def test_nothing_stays_nothing():
    assert as_html(" \n") == " \n"
