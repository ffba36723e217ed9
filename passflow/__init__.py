"""passflow keeps Apple and Google Wallet passes true to a master system, inside Dagster."""

from passflow.errors import PassflowError

__version__ = "0.1.0"
__all__ = ["PassflowError", "__version__"]
