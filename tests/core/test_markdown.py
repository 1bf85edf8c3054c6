"""Markdown is shown, never obeyed."""

import pytest

from apps.core.markdown import LONGEST, render


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html,<script>alert(1)</script>)",
        "<a href='x' onclick='alert(1)'>x</a>",
        "![tracker](https://elsewhere.example/pixel.gif)",
        "<iframe src='https://elsewhere.example'></iframe>",
    ],
)
def test_nothing_in_a_text_runs_or_loads(hostile):
    html = render(hostile)
    assert not any(f"<{tag}" in html for tag in ("script", "img", "iframe"))
    assert 'href="javascript' not in html
    assert "<a href='x'" not in html


def test_what_people_write_becomes_what_they_mean():
    html = render("# Launch\n\n1. check **UTM**\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[guide](https://example.com)")
    for shown in ("<h1>Launch</h1>", "<strong>UTM</strong>", "<td>2</td>", 'rel="noopener noreferrer nofollow"'):
        assert shown in html


def test_a_text_beyond_measure_is_cut_and_says_so():
    assert "The rest is too long to show" in render("word " * LONGEST)
