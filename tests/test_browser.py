"""Notebooks that one also clicks in, as a student meets them: a real JupyterLab in a headless Chromium, tiny sizes.

pip install -e '.[browser]'    and a Chromium of the system; else these tests skip, saying why.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
SETTINGS = {
    # Every cell in the page, not only those in view; no question about news; the kernel's own clean end.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
RUN_ALL = "jupyterapp.commands.execute('notebook:run-all-cells')"
CODE_CELLS = """jupyterapp.shell.currentWidget.content.widgets.map(w => w.model.toJSON())
    .filter(c => c.cell_type == 'code')
    .map(c => ({source: [c.source].flat().join(''), count: c.execution_count, outputs: c.outputs}))"""
MINUTES = 60_000  # in Playwright's milliseconds


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab that serves copies of the notebooks."""
    if not BROWSER:
        pytest.skip("there is no Chromium on this machine: install the system's package chromium")
    pytest.importorskip("playwright", reason="playwright is missing: pip install -e '.[browser]'")
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "notebooks", ignore=shutil.ignore_patterns(".*"))
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = {"JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces"}
    folders |= {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_RUNTIME_DIR": "runtime"}
    project = home / "project"  # where all notebooks find the run of the first
    project.mkdir()
    environment = {**os.environ, "ANIMEGAN_SMOKE": str(project), "OMP_NUM_THREADS": "1"}
    environment |= {name: str(home / folder) for name, folder in folders.items()}
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
    command += [f"--port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={home / 'notebooks'}"]
    address = f"http://127.0.0.1:{port}"
    with open(home / "log", "wb") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as server:
        try:
            _wait_for(f"{address}/api", server, home / "log")
            yield address
        finally:
            server.terminate()


def _wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            return urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="module")
def browser(lab):
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def open_notebook(lab, browser):
    """Open a notebook by its number and run all its cells without an error; return the page.

    The test also fails on an error in the browser's console.
    """
    errors = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)

    def call(number: str):
        (name,) = (path.name for path in NOTEBOOKS.glob(f"{number}_*.ipynb"))
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{lab}/lab/tree/{name}?reset")
        page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'",
            timeout=2 * MINUTES,
        )
        page.evaluate(f"async () => {{ await {RUN_ALL} }}")
        page.set_default_timeout(MINUTES / 2)
        cells = page.evaluate(CODE_CELLS)
        assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1))
        for cell in cells:
            for output in cell["outputs"]:
                assert output["output_type"] != "error" and output.get("name") != "stderr", cell["source"]
        return page

    yield call
    context.close()
    assert not errors


def test_latent_space_is_explored_by_keyboard(open_notebook):
    page = open_notebook("07")
    box = page.locator(".widget-vbox:has(> .widget-html:has-text('classified as'))").first
    picture, slider = box.locator("img").last, box.get_by_role("slider").first  # before the move, and after it
    changed = "([img, src]) => img.src != src"
    for press in (lambda: slider.press("ArrowRight"), lambda: box.get_by_role("button", name="Shuffle").press("Space")):
        before = picture.get_attribute("src")
        press()
        page.wait_for_function(changed, arg=[picture.element_handle(), before])
    box.get_by_role("button", name="Save").press("Space")
    box.get_by_text("Saved: ").wait_for()


def test_the_hour_of_the_homework(open_notebook, tmp_path):
    """A run is trained, its epochs are compared, and the report leaves from the File menu, with the student's name."""
    from pptx import Presentation

    open_notebook("04").close()
    page = open_notebook("05")
    page.get_by_text("showing your run imgs/mine: 2 epochs").wait_for()
    side = page.locator(".widget-vbox:has(> .widget-slider:has-text('Right epoch'))").first
    picture, slider = side.locator("img"), side.get_by_role("slider")
    picture_before, epoch_before = picture.get_attribute("src"), slider.get_attribute("aria-valuenow")
    slider.press("ArrowLeft")
    page.wait_for_function("([img, src]) => img.src != src", arg=[picture.element_handle(), picture_before])
    assert float(slider.get_attribute("aria-valuenow")) == float(epoch_before) - 1
    page.close()

    page = open_notebook("08")
    page.locator(".jp-RenderedMarkdown").get_by_text("write here").first.dblclick()
    page.locator(".jp-MarkdownCell.jp-mod-active .cm-content").click()
    page.locator(".jp-MarkdownCell.jp-mod-active .cm-focused").wait_for()  # in command mode, letters are commands
    page.keyboard.press("Control+a")
    page.keyboard.type("# Faces\n\nLi Ming")
    page.keyboard.press("Shift+Enter")
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text="Save and Export Notebook As").click()
    with page.expect_download(timeout=2 * MINUTES) as download:
        page.locator(".lm-Menu-itemLabel", has_text="PowerPoint").click()
    download.value.save_as(tmp_path / "report.pptx")
    slides = list(Presentation(tmp_path / "report.pptx").slides)
    assert len(slides) >= 16
    assert all(slide.shapes.title.text.strip() for slide in slides)
    texts = ["\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame) for slide in slides]
    assert "Li Ming" in texts[0] and "write here" not in texts[0]
    assert [text for text in texts if "the run that comes with the course" in text] == []
    (numbers,) = (text for text in texts if "in numbers" in text)
    assert "animegan evaluate imgs/mine" in numbers
    assert sum(shape.shape_type == 13 for slide in slides for shape in slide.shapes) >= 8, "13: a picture"
