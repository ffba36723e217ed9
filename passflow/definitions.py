"""The code location: every program below the project's programs folder, as Dagster definitions.

``workspace.yaml``, ``dagster dev``, ``dg dev`` and the other ``dg`` commands all load this module; the folder and its
files are the ones the command line reads.
"""

import sys
import warnings

import dagster as dg

from passflow.errors import ConfigError
from passflow.project import FILE_NAME, program_root

# asset checks and backfill policies are announced as beta on every load of the code
warnings.filterwarnings("ignore", category=dg.BetaWarning)


@dg.definitions
def defs() -> dg.Definitions:
    """Every program of the project.

    Raises:
        ConfigError: there is no program file, or Dagster's `defs_module` is another folder.
    """
    folder = program_root()
    if next(folder.rglob(FILE_NAME), None) is None:
        raise ConfigError(
            f"There is no program file below {folder}.",
            fix="Run `dg scaffold defs passflow.pipeline.PassProgram NAME`, or set PASSFLOW_PROJECT to the folder they are in.",
            code="config.programs",
        )
    # Dagster imports the folder as a (namespace) module of this name
    sys.path.insert(0, str(folder.parent))
    try:
        tree = dg.ComponentTree.for_project(folder)
        # `load_from_defs_folder` would add the JSON schema of every component type of every package, half of the time
        found = tree.build_defs_at_path(tree.defs_module_path)
    finally:
        sys.path.remove(str(folder.parent))
    loaded = tree.defs_module_path.resolve()
    if loaded != folder:
        raise ConfigError(
            f"The program files are in {folder}, but Dagster reads {loaded}.",
            fix="Let `[tool.passflow] programs` and `[tool.dg.project] defs_module` in pyproject.toml name one folder.",
            code="config.programs",
        )
    return dg.Definitions.merge(found, dg.Definitions(executor=dg.in_process_executor, component_tree=tree))
