"""The import table of the design, held by reading the sources; nothing is imported but in a subprocess."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import bench
from bench.prepare.prepare import source_files

PACKAGE = Path(bench.__file__).parent
STAGES = ("environments", "runtimes", "prepare", "measure", "analysis", "report", "check")
GROUND = {"bench.records", "bench.errors", "bench.units"}
# Modules above the records that a stage may also name: a row is a record of the report, a place belongs to nobody.
SHARED = {*GROUND, "bench", "bench.rows", "bench.places", "bench.children", "bench.protobuf"}
EXCEPTIONS = {  # comparing arrays is pure, and an export has to compare
    ("prepare", "bench.analysis.distance"),
    ("prepare", "bench.analysis.naming"),
    ("prepare", "bench.analysis.noise"),
    ("prepare", "bench.analysis.hypotheses.trial"),
}
RUNTIMES = {
    "tensorflow",
    "keras",
    "onnx",
    "onnxruntime",
    "tf2onnx",
    "openvino",
    "ai_edge_litert",
    "iree",
    "jax",
    "torch",
}
# Run in child processes, may import what they run.
IN_A_CHILD = (
    "runtimes/tensorflow.py",
    "runtimes/tensorflow_paths.py",
    "runtimes/keras_names.py",
    "runtimes/keras_file.py",
    "runtimes/keras_backends.py",
    "runtimes/onnxruntime.py",
    "runtimes/openvino.py",
    "runtimes/litert.py",
    "runtimes/iree.py",
    "runtimes/iree_build.py",
    "runtimes/probe_child.py",
    "prepare/child/*.py",
    "prepare/child/mutants/*.py",
)
WORKER_ALLOWS = {"numpy", "msgspec", "psutil", "bench"}


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "models" not in path.relative_to(PACKAGE).parts[:1])


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    """Every module that a file imports; ``from a import b`` counts as ``a.b`` where that is a module of ours."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _module_level(tree) if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            module = node.module or ""
            yield from (_submodule(module, alias.name) for alias in node.names)


def _module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run at import: all but those in functions and under TYPE_CHECKING."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        children = ast.iter_child_nodes(node)
        waiting.extend(c for c in children if not isinstance(c, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))


def _submodule(module: str, name: str) -> str:
    if module.split(".")[0] != "bench":
        return module
    folder = PACKAGE.parent.joinpath(*module.split("."))
    return f"{module}.{name}" if (folder / f"{name}.py").exists() or (folder / name).is_dir() else module


def stage_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in STAGES else None


def closure(module: str, *, top_level: bool = True) -> set[str]:
    """``module`` and every module of ours that importing it imports, packages' own files included."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or name.split(".")[0] != "bench":
            continue
        found.add(name)
        waiting.extend(imports(file_of(name), top_level=top_level))
        waiting.append(name.rpartition(".")[0] or name)
    return found


def file_of(module: str) -> Path:
    path = PACKAGE.parent.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def outside(modules: set[str]) -> set[str]:
    """Top-level names that are not ours and not Python's own, imported by ``modules`` at import."""
    named = {name.split(".")[0] for module in modules for name in imports(file_of(module), top_level=True)}
    return named - {"bench"} - set(sys.stdlib_module_names)


def is_in_a_child(path: Path) -> bool:
    return any(path.relative_to(PACKAGE).match(pattern) for pattern in IN_A_CHILD)


def test_the_table_is_read_from_real_sources() -> None:
    assert len(sources()) > 30
    assert "bench.records" in set(imports(PACKAGE / "specs.py"))
    assert "bench.prepare.sniff" in set(imports(PACKAGE / "specs.py"))
    assert "bench.prepare.sniff" not in set(imports(PACKAGE / "specs.py", top_level=True))


def is_other(name: str, module: str) -> bool:
    """Whether it is of ours and not part of ``module``: records are a package of several files."""
    return name.split(".")[0] == "bench" and name != module and not name.startswith(f"{module}.")


@pytest.mark.parametrize("module", sorted(GROUND))
def test_records_errors_and_units_import_nothing_of_ours(module: str) -> None:
    files = [path for path in sources() if name_of(path) == module or name_of(path).startswith(f"{module}.")]
    wrong = [f"{name_of(path)} imports {name}" for path in files for name in imports(path) if is_other(name, module)]
    assert files
    assert wrong == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_stages_to_its_left(stage: str) -> None:
    left = STAGES[: STAGES.index(stage) + 1]
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in sources()
        if stage_of(name_of(path)) == stage
        for name in imports(path)
        if name.split(".")[0] == "bench"
        and stage_of(name) not in left
        and name not in SHARED
        and (stage, name) not in EXCEPTIONS
    ]
    assert wrong == []


def test_only_files_of_a_child_import_a_runtime() -> None:
    wrong = [
        f"{name_of(path)} imports {name}"
        for path in sources()
        if not is_in_a_child(path)
        for name in imports(path)
        if name.split(".")[0] in RUNTIMES
    ]
    assert wrong == []


def test_importing_any_module_of_the_parent_imports_no_runtime() -> None:
    wrong = [
        f"{name_of(path)} leads to {sorted(found)}"
        for path in sources()
        if not is_in_a_child(path)
        if (found := outside(closure(name_of(path))) & RUNTIMES)
    ]
    assert wrong == []


def test_the_worker_is_never_imported() -> None:
    wrong = [name_of(path) for path in sources() if "bench.measure.worker" in set(imports(path))]
    assert wrong == []


def test_the_worker_is_light() -> None:
    assert outside(closure("bench.measure.worker")) <= WORKER_ALLOWS


def test_zoo_models_never_import_bench() -> None:
    from bench.prepare.zoo import models_folder

    files = sorted(models_folder().glob("*.py"))
    assert len(files) >= 5
    assert [f"{path.name}: {name}" for path in files for name in imports(path) if name.split(".")[0] == "bench"] == []


def test_only_the_command_line_prints() -> None:
    wrong = [
        name_of(path)
        for path in sources()
        if path.name != "cli.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def loaded_by(code: str) -> set[str]:
    """Top-level modules that are loaded after ``code`` in a fresh interpreter."""
    program = f"import sys\n{code}\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    finished = subprocess.run(
        [sys.executable, "-P", "-c", program], check=True, text=True, capture_output=True, timeout=60
    )
    return set(finished.stdout.splitlines())


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["gone"]])
def test_help_loads_neither_pandas_nor_numpy(arguments: list[str]) -> None:
    heavy = {"pandas", "numpy", "pyarrow", "scipy", "msgspec", "psutil", "rich", *RUNTIMES}
    assert loaded_by(f"from bench.cli import run_cli; run_cli({arguments!r})") & heavy == set()


def test_the_whole_parent_loads_no_runtime() -> None:
    code = "import bench.pipeline, bench.cli; from bench.commands import run, verify, export, models, runtimes, report"
    assert loaded_by(code) & RUNTIMES == set()


def test_what_the_cache_of_prepare_knows_by_its_source_is_all_that_an_answer_comes_from() -> None:
    """Records and errors carry answers; all else of ours that the child imports decides them."""
    used: set[str] = set()
    waiting = ["bench.prepare.child.main"]
    while waiting:
        name = waiting.pop()
        if name in used or name.split(".")[0] != "bench":
            continue
        used.add(name)  # what a child imports within a function it imports for an answer
        waiting += imports(file_of(name), top_level=not name.startswith("bench.prepare.child."))
    files = {file_of(name) for name in used if not name.startswith(("bench.records", "bench.errors"))}
    assert {path for path in files if path.name != "__init__.py"} <= set(source_files())
    assert PACKAGE / "units.py" in files
