"""The page in a real browser: it renders, and can be used with the keyboard, narrow and dark."""

from __future__ import annotations

import pytest
from browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@pytest.fixture(params=[(1280, "light"), (400, "light"), (1280, "dark"), (400, "dark")], ids=str)
def view(request, browser, folder):
    """The page, as wide and as bright as the parameters say, with everything open."""
    browser.open(folder / "report.html", *request.param)
    browser.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    return browser


def test_nothing_is_logged_and_nothing_is_loaded(view):
    assert view.of_kind("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    loaded = [event["params"]["request"]["url"] for event in view.of_kind("Network.requestWillBeSent")]
    assert [url[:5] for url in loaded if not url.startswith("data:")] == ["file:"]
    assert "report.html" in loaded[0]


def test_the_page_is_as_wide_as_the_window(view):
    """Wide tables and the drawing scroll inside their own boxes."""
    assert view.value("document.documentElement.scrollWidth <= innerWidth")
    inside = (
        "[...document.querySelectorAll('body *')].filter(each => !each.closest('.scroll, pre, svg, .skip') && "
        "each.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert view.value(inside) == 0


def test_code_is_not_cut(view):
    """Long lines, such as those of the formula, wrap."""
    wide = "[...document.querySelectorAll('pre')].filter(each => each.scrollWidth > each.clientWidth).length"
    assert view.value("document.querySelectorAll('pre').length") > 0
    assert view.value(wide) == 0


def test_text_is_legible(view):
    """The contrast of text with the page, and the size of letters."""
    contrast = """(() => {
      const channel = (c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
      const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
        return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
      };
      const behind = (each) => {
        for (let at = each; at; at = at.parentElement) {
          const colour = getComputedStyle(at).backgroundColor;
          if (!/, 0\\)$/.test(colour)) return colour;
        }
      };
      const texts = [...document.querySelectorAll(
        'h1, h2, p, td, th, a, code, figcaption, summary, button, span, strong')];
      return Math.min(...texts.map((each) => {
        const [a, b] = [light(getComputedStyle(each).color), light(behind(each))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      }));
    })()"""
    assert view.value(contrast) >= 4.5
    sizes = (
        "Math.min(...[...document.querySelectorAll('p, td, th, code, figcaption')]"
        ".map(each => parseFloat(getComputedStyle(each).fontSize)))"
    )
    assert view.value(sizes) >= 11


def test_colours_of_pictures_change_with_the_mode(browser, folder):
    colours = set()
    for scheme in ("light", "dark"):
        browser.open(folder / "report.html", 1280, scheme)
        colours.add(browser.value("getComputedStyle(document.querySelector('#roc svg')).color"))
    assert len(colours) == 2


def test_a_column_is_sorted_with_the_keyboard(browser, folder):
    browser.open(folder / "report.html", 1280, "light")
    browser.value("document.querySelector('#resources').scrollIntoView()")
    browser.value("document.querySelectorAll('#resources th button')[1].focus()")
    column = "[...document.querySelectorAll('#resources tbody tr')].map(row => Number(row.cells[1].dataset.value))"
    for expected, said in ((sorted, "ascending"), (lambda x: sorted(x, reverse=True), "descending")):
        browser.press("Enter", 13, "\r")
        found = browser.value(column)
        assert found == expected(found)
        assert browser.value("document.querySelectorAll('#resources th')[1].getAttribute('aria-sort')") == said


def test_rows_without_a_value_stay_last(browser, folder):
    browser.open(folder / "report.html", 1280, "light")
    column = "[...document.querySelectorAll('#ranges tbody tr')].map(row => row.cells[7].textContent)"
    for _ in range(2):
        browser.value("document.querySelectorAll('#ranges th button')[7].click()")
        found = browser.value(column)
        assert found.index("-") + found.count("-") == len(found)


def test_everything_is_reached_with_the_tab_key(browser, folder):
    browser.open(folder / "report.html", 1280, "light")
    browser.value("document.body.focus()")
    reached = set()
    for _ in range(400):
        browser.press("Tab", 9)
        name = browser.value("(e => e.tagName + (e.closest('table')?.id ?? e.textContent))(document.activeElement)")
        if name.startswith("BODY"):  # past the last
            break
        reached.add(name)
    folded = browser.value("[...document.querySelectorAll('summary')].map(e => 'SUMMARY' + e.textContent)")
    tables = browser.value(
        "[...document.querySelectorAll('table')].filter(e => !e.closest('details')).map(e => 'BUTTON' + e.id)"
    )
    assert set(folded) | set(tables) <= reached
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") != ""
