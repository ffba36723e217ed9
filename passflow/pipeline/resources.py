"""What the steps share: the opened installation, and an IO manager that lets nothing through."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from passflow.errors import PlanError

if TYPE_CHECKING:
    from passflow.installation import Installation

RESOURCE = "passflow"
IO_MANAGER = "passflow_io"


class InstallationResource(dg.ConfigurableResource[None]):
    """Opens the store for one step.

    It has no settings on purpose: what stands in a resource is shown in the UI and kept in job snapshots, so URLs, keys and
    tokens come from the environment of the process that runs the step.
    """

    @contextmanager
    def open(self) -> "Iterator[Installation]":
        """The installation that ``PASSFLOW_HOME`` and ``PASSFLOW_STORE_URL`` name, closed at the end of the step.

        Raises:
            StoreVersionError: the store needs another version.
            StoreBusy: the store is out of reach.
            CryptoError: the master keys do not open it.
        """
        from passflow.installation import Installation

        with Installation.open() as installation:
            yield installation


class RefusingIOManager(dg.IOManager):
    """Refuses every value: members and passes live encrypted in the store, never pickled in Dagster's files."""

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Raises: an asset of a program returned a value."""
        raise PlanError(
            f"The asset {context.asset_key.to_user_string()} returned a value.",
            fix="Return `dg.MaterializeResult(metadata=…)`; what others need is in the store.",
            code="pipeline.value",
        )

    def load_input(self, context: dg.InputContext) -> Any:
        """Raises: another asset asked for the value of a program's asset."""
        raise PlanError(
            f"The asset {context.asset_key.to_user_string()} has no value to load.",
            fix="Depend on it with `deps=[…]` and read the documented views of the store.",
            code="pipeline.value",
        )


# one object each: Dagster refuses two resources of one name, and every program brings these
installation_resource = InstallationResource()
refusing_io = RefusingIOManager()
