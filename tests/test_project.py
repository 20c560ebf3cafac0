"""The files around the library agree with each other."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from animegan.ablation import Sweep, read_results, table

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it there

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA_NAMES = {"torch": "pytorch", "opencv-python-headless": "opencv", "ImageHash": "imagehash"}


def environment() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def required() -> dict[str, str]:
    """What pyproject.toml asks for, extras included: conda's name -> the bounds, in one order."""
    apart = ("browser", "metrics")  # no student needs the first, and pip brings the second
    extras = {name: lines for name, lines in PYPROJECT["optional-dependencies"].items() if name not in apart}
    lines = [*PYPROJECT["dependencies"], *(line for extra in extras.values() for line in extra)]
    parsed = [Requirement(line) for line in lines]
    return {CONDA_NAMES.get(r.name, r.name): _sorted(str(r.specifier)) for r in parsed}


def _sorted(bounds: str) -> str:
    return ",".join(sorted(bounds.split(",")))


def test_environment_yml_asks_for_what_pyproject_asks_for():
    packages = [line for line in environment()["dependencies"] if isinstance(line, str)]
    listed = dict(re.fullmatch(r"([a-z0-9-]+)(.*)", line).groups() for line in packages)
    python, pip = listed.pop("python"), listed.pop("pip")
    assert {name: _sorted(bounds) for name, bounds in listed.items()} == required()
    assert python.startswith(PYPROJECT["requires-python"]) and ",<" in python
    assert pip == ""


def test_environment_yml_is_named_and_takes_one_channel():
    assert environment()["name"] == "animegan"
    assert environment()["channels"] == ["conda-forge", "nodefaults"]
    assert environment()["dependencies"][-1] == {"pip": ["-e .[metrics]"]}


def test_environment_yml_has_a_reason_beside_each_line_and_no_build_strings():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line.lstrip().startswith("- ") and not line.rstrip().endswith(":")]
    assert len(entries) > 15
    for line in entries:
        entry, _, reason = line.partition(" # ")
        assert len(reason) > 10, f"no reason: {line}"
        loose = entry.replace(">=", "").replace("<=", "")
        assert not re.search(r"(?<![<>!])=", loose), f"a build or an exact pin: {line}"


def test_every_dependency_has_a_floor_and_pytorch_and_the_like_a_cap():
    for name, bounds in required().items():
        assert ">=" in bounds, name
        assert "<" in bounds or name == "packaging", name  # packaging counts years, not breaking changes


def test_constraints_name_exact_versions_within_the_bounds():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    exact = [Requirement(line) for line in lines if line and not line.startswith("#")]
    versions = {r.name.lower(): next(iter(r.specifier)).version for r in exact}
    assert all(len(r.specifier) == 1 and next(iter(r.specifier)).operator == "==" for r in exact)
    for line in [*PYPROJECT["dependencies"], *(x for e in PYPROJECT["optional-dependencies"].values() for x in e)]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(versions[requirement.name.lower()]), requirement


PAPERS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md", "imgs/README.md", "imgs/ablation/README.md"]


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_names_commands_and_files_that_exist(paper):
    text = (ROOT / paper).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert {"setup", "train", "test", "lab", "clean"} <= targets
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", text, re.M))
    assert named <= targets
    assert paper != "README.md" or {"train", "test"} <= named
    for path in re.findall(r"\]\((?!http|#)([^)#]+)", text):
        assert ((ROOT / paper).parent / path).exists(), path
    help_text = subprocess.check_output([sys.executable, "-m", "animegan", "train", "--help"], text=True, cwd=ROOT)
    for option in re.findall(r"animegan train[^`\n]*?(--[\w-]+)", text):
        assert option in help_text, option


@pytest.mark.parametrize("name", ["drawn", "real"])
def test_the_ablation_page_has_the_table_and_the_picture_of_a_completely_measured_grid(name):
    grid = Sweep.read(ROOT / "imgs" / "ablation" / f"{name}.toml")
    measured = [(result.row, result.seed) for result in read_results(grid)]
    assert measured == [(row.name, seed) for row in grid.rows for seed in range(row.seeds)]
    text = (ROOT / "imgs" / "ablation" / "README.md").read_text(encoding="utf-8")
    assert table(grid) in text, f"animegan ablate imgs/ablation/{name}.toml --table makes it"
    assert f"]({name}.png)" in text


def test_contributing_has_every_room():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    modules = {path.name for path in (ROOT / "animegan").glob("*.py") if not path.name.startswith("__")}
    rooms = {f"{name}/" for name in FOLDERS} | modules
    assert set(re.findall(r"\[([a-z]+(?:/|\.py))\]\(animegan/", text)) == rooms


def test_ci_calls_the_readmes_test_command():
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^make test$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.M)


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make on this machine")
@pytest.mark.parametrize(("status", "build"), [(0, " --torch-backend=cpu"), (1, "")])
def test_setup_takes_the_cpu_build_where_pytorchs_index_answers_and_all_else_from_pips_index(status, build, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    scripts = {
        "python": "echo \"global.index-url='https://mirror.example/simple'\"",
        "uv": f'echo "$UV_DEFAULT_INDEX $*" >> log; case "$*" in *--dry-run*) exit {status};; esac',
    }
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name, line in scripts.items():
        path = tmp_path / ".venv" / "bin" / name
        path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        path.chmod(0o755)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    command = ["make", "setup", "PYTHON=true", "BACKEND=cpu", "EXTRAS=test"]
    environment = {name: value for name, value in os.environ.items() if name != "UV_DEFAULT_INDEX"}
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert ("PyTorch's own index does not answer" in printed) == bool(status)
    tried, installed = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert "--dry-run --reinstall --torch-backend=cpu torch torchvision" in tried
    assert installed == f"https://mirror.example/simple pip install --python .venv/bin/python{build} -e .[test]"


FOLDERS = {path.name for path in (ROOT / "animegan").iterdir() if path.is_dir() and path.name != "__pycache__"}
IMPORT = re.compile(r"^\s*(?:from|import) (animegan(?:\.\w+)*)(?: import (\w+))?", re.M)


def too_deep(text: str, at_home: str = "") -> list[str]:
    """The modules behind a room's face that a text imports from; `at_home`: a room's own name."""
    imports = IMPORT.finditer(text)
    found = [match[1].split(".")[1:] + ([match[2]] if match[1] == "animegan" else []) for match in imports]
    return [".".join(names) for names in found if names and names[0] in FOLDERS - {at_home} and len(names) > 1]


def test_what_is_too_deep_is_found():
    assert too_deep("from animegan.data import batches\nimport animegan.models\nfrom animegan import show") == []
    assert too_deep("x = 1\n    from animegan.data.batching import batches\nimport animegan.show.history") == [
        "data.batching", "show.history",
    ]  # fmt: skip
    assert too_deep("from animegan.data.batching import batches", at_home="data") == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_notebook_imports_from_the_faces_of_the_rooms(path):
    cells = nbformat.read(path, as_version=4).cells
    assert too_deep("\n".join(cell.source for cell in cells)) == []


def test_the_readme_imports_from_the_faces_of_the_rooms():
    assert too_deep((ROOT / "README.md").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", sorted(FOLDERS))
def test_the_rooms_know_each_other_by_their_faces(room):
    files = sorted((ROOT / "animegan" / room).rglob("*.py"))
    assert files and not {path.name: deep for path in files if (deep := too_deep(path.read_text("utf-8"), room))}


@pytest.mark.parametrize("module", sorted((ROOT / "animegan").glob("*.py")), ids=lambda path: path.stem)
def test_the_core_knows_the_rooms_by_their_faces(module):
    assert too_deep(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("room", sorted(FOLDERS))
def test_a_face_names_what_it_has_and_no_module_bears_one_of_the_names(room):
    face = importlib.import_module(f"animegan.{room}")
    assert face.__doc__ and all(getattr(face, name) is not None for name in face.__all__)
    modules = {path.stem for path in (ROOT / "animegan" / room).iterdir() if path.suffix in ("", ".py")}
    assert not modules & set(face.__all__), "which of the two one gets would depend on what is imported first"
    assert not [name for name in modules if name.startswith("_") and not name.startswith("__")]


def test_the_help_does_not_wait_for_anything_heavy():
    code = "import sys, animegan.cli.app as app; app._parser(); print('torch' in sys.modules, 'numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT).split() == ["False", "False"]


def test_a_wheel_works_without_the_source(tmp_path):
    setuptools = pytest.importorskip("setuptools", reason="building a wheel needs setuptools")
    if Version(setuptools.__version__) < Version("77"):
        pytest.skip(f"building a wheel needs setuptools 77, this is {setuptools.__version__}")
    source, site = tmp_path / "source", tmp_path / "site"
    shutil.copytree(ROOT / "animegan", source / "animegan", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    quiet = {"check": True, "capture_output": True, "timeout": 300}
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", tmp_path, source], **quiet)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {Path(name) for name in archive.namelist()}
    assert {path.relative_to(ROOT) for path in (ROOT / "animegan").rglob("*.*") if path.suffix != ".pyc"} <= packed
    subprocess.run([*pip, "install", "--no-deps", "--target", site, wheel], **quiet)
    shutil.rmtree(source)
    script = (
        "import animegan, importlib.metadata as m; from animegan.drawing import write_faces;"
        "from animegan.measure import face_classifier; from animegan.slides import OfflineSlidesExporter;"
        "face_classifier(); write_faces('faces', 3, progress=False);"
        "ours = [e.name for e in m.entry_points(group='nbconvert.exporters') if 'animegan' in e.value];"
        "print(animegan.__file__, ours)"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    used = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, text=True, **quiet).stdout
    assert used.startswith(str(site)) and "PowerPoint" in used and "offline_slides" in used
    assert len(list((tmp_path / "faces").rglob("*.png"))) == 3
