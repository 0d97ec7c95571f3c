"""Where the zoo is and what is in it. Runs in the parent: reads file names, never imports a model or Keras."""

from __future__ import annotations

from pathlib import Path

from bench.records import ModelSpec


def models_folder() -> Path:
    """Folder of the zoo's model files.

    In a checkout that is ``models/`` beside the package, so that a changed file counts at once; in an installation
    the copy inside the package. A foreign ``models`` in site-packages is never taken.
    """
    package = Path(__file__).resolve().parent.parent
    checkout = package.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "models").is_dir():
        return checkout / "models"
    return package / "models"


def zoo_names() -> tuple[str, ...]:
    """Names of the zoo's models, sorted: one a file, private files left out."""
    names = (path.stem for path in models_folder().glob("*.py"))
    return tuple(sorted(name for name in names if name.isidentifier() and not name.startswith("_")))


def base_folder(spec: ModelSpec) -> Path:
    """The folder that a model's dependencies are named from."""
    if spec.kind == "zoo":
        return models_folder()
    return Path(spec.path).parent if spec.path else Path()
