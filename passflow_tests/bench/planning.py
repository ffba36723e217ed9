"""One night planned in a fresh process, and the same question answered by pandas in another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from passflow_tests.bench.club import ArrowRead, make_club, open_store


class Night(TypedDict):
    """What one planned night took.

    ``seconds`` is the whole plan without the validation of rows, ``validation`` that alone; keyed hashes of ids count as
    ``seconds``.
    """

    seconds: float
    validation: float
    found: tuple[int, int, int]


def plan_night(folder: str, url: str, in_memory: bool) -> Night:
    """Plans tonight's snapshot against a filled store, and forgets the plan so that the next one finds the same store."""
    import polars  # noqa: F401 - loading libraries is not planning

    from passflow.sync.plan import make_plan

    program = make_club(Path(folder))
    read = ArrowRead(Path(folder) / "new.arrow", in_memory=in_memory)
    with open_store(url) as store:
        clock = _Validation()
        begun = time.perf_counter()
        plan = make_plan(program, store, read=read)
        spent = time.perf_counter() - begun
        _forget(store, plan.plan_id)
    counts = plan.counts
    assert not plan.withheld and not counts.refused
    return {
        "seconds": spent - clock.seconds,
        "validation": clock.seconds,
        "found": (counts.creates, counts.updates, counts.deletes),
    }


class _Validation:
    """Time spent in ``map_batch``, but for the keyed hashes of ids."""

    def __init__(self) -> None:
        from passflow.sync import reading
        from passflow.sync.intake import Hasher

        self.seconds = 0.0
        self._count(reading, "read_batch", 1)
        self._count(Hasher, "identify", -1)

    def _count(self, owner: Any, name: str, sign: int) -> None:
        function: Callable[..., object] = getattr(owner, name)

        def timed(*arguments: object) -> object:
            begun = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                self.seconds += sign * (time.perf_counter() - begun)

        setattr(owner, name, timed)


def _forget(store: Any, plan_id: str) -> None:
    from sqlalchemy import delete, exists, select

    from passflow.store.tables import member_keys, operations, passes, plans

    known = exists(
        select(passes.c.serial).where(
            passes.c.program == member_keys.c.program, passes.c.id_hash == member_keys.c.id_hash
        )
    )
    with store.begin() as conn:
        conn.execute(delete(operations).where(operations.c.plan_id == plan_id))
        conn.execute(delete(plans).where(plans.c.plan_id == plan_id))
        conn.execute(delete(member_keys).where(~known))


class Compared(TypedDict):
    """What pandas took: ``seconds`` of comparing alone, ``loading`` the snapshots, and (new, changed, gone)."""

    seconds: float
    loading: float
    found: tuple[int, int, int]


def compare_with_pandas(folder: str) -> Compared:
    """Merges both snapshots on the id and compares column by column, both in memory (merge and != as pandas has them)."""
    import pandas as pd
    import pyarrow as pa

    def load(name: str) -> Any:
        with pa.OSFile(str(Path(folder) / name)) as file:
            return pa.ipc.open_file(file).read_all().to_pandas(date_as_object=False)

    begun = time.perf_counter()
    old, new = load("old.arrow"), load("new.arrow")
    loaded = time.perf_counter()
    both = old.merge(new, on="member_no", how="outer", suffixes=("", "_new"), indicator=True)
    changed = pd.Series(data=False, index=both.index)
    for name in old.columns.drop("member_no"):
        before, after = both[name], both[f"{name}_new"]
        changed |= (before != after) & ~(before.isna() & after.isna())
    sides = both["_merge"]
    creates, deletes = both[sides == "right_only"], both[sides == "left_only"]
    updates = both[changed & (sides == "both")]
    ended = time.perf_counter()
    return {
        "seconds": ended - loaded,
        "loading": loaded - begun,
        "found": (len(creates), len(updates), len(deletes)),
    }
