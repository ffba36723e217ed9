"""The guard: which operations of a plan wait for a person, judged over the whole program before anything applies.

Defaults follow what identity systems ship (a count *and* a share must both be passed): a truncated export looks like
mass deletion, a wrong filter like mass creation (a pass is billable once issued), a mapping mistake like a mass update.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from passflow.model import Counts, Kind, Proof, Withholding


class Limit(BaseModel):
    """More than ``count`` and more than ``percent`` at once is withheld."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(ge=0, description="Operations that always pass.")
    percent: float = Field(ge=0, le=100, description="Share of the base, in percent, that always passes.")

    def exceeded(self, operations: int, base: int) -> bool:
        """True when the operations pass the count and the share of the base."""
        return operations > self.count and operations * 100 > self.percent * base

    def __str__(self) -> str:
        return f"{self.count:,} and {self.percent:g} %"


class Guard(BaseModel):
    """The guard's limits for one program; on by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    deletes: Limit = Field(
        default=Limit(count=10, percent=10), description="Deletes, as a count and a share of live passes."
    )
    creates: Limit = Field(
        default=Limit(count=100, percent=50), description="Creates, as a count and a share of live passes."
    )
    rings: Limit = Field(
        default=Limit(count=1000, percent=50),
        description="Phones that an update makes ring, as a count and a share of all registered phones.",
    )
    first_load: bool = Field(
        default=False, description="Let the first load of an empty program issue passes without an approval."
    )
    single_deletes: Limit = Field(
        default=Limit(count=10, percent=10),
        description="Deletes outside a plan (webhooks, flows) within 24 hours, as a count and a share of live passes.",
    )

    def judge(
        self,
        counts: Counts,
        proof: Proof,
        *,
        unattributed: int,
        template_changed: bool,
        store_empty: bool,
    ) -> tuple[Withholding, ...]:
        """Names what must wait; at most one rule per kind, the gravest first.

        Args:
            counts: of the whole plan.
            proof: of the read.
            unattributed: refused rows that belong to no known member.
            template_changed: the template's revision differs from that of the last plan; its updates may ring.
            store_empty: no pass of the program was ever issued.
        """
        found = (
            self._judge_deletes(counts, proof, unattributed),
            self._judge_creates(counts, store_empty=store_empty),
            self._judge_updates(counts, template_changed=template_changed),
        )
        return tuple(withholding for withholding in found if withholding)

    def _judge_deletes(self, counts: Counts, proof: Proof, unattributed: int) -> Withholding | None:
        def withhold(rule: str, limit: str, reason: str) -> Withholding:
            return Withholding(Kind.DELETE, rule, counts.deletes, limit, reason)

        if not counts.deletes:
            return None
        if counts.rows == 0:
            return withhold("deletes.empty_read", "0 rows", "The source returned no rows at all.")
        if not proof.complete:
            return withhold("deletes.unproved", "a proved read", f"The read is not proved complete: {proof.reason}.")
        if unattributed:
            reason = f"{unattributed:,} refused row(s) belong to no known member, so an absence may be one of them."
            return withhold("deletes.unattributed", "0 such rows", reason)
        if self.deletes.exceeded(counts.deletes, counts.live):
            reason = f"{counts.deletes:,} of {counts.live:,} live passes would be deleted."
            return withhold("deletes.share", str(self.deletes), reason)
        return None

    def _judge_creates(self, counts: Counts, *, store_empty: bool) -> Withholding | None:
        if store_empty:
            if self.first_load or not counts.creates:
                return None
            reason = f"The first load would issue {counts.creates:,} passes; `guard.first_load: true` allows it."
            return Withholding(Kind.CREATE, "creates.first_load", counts.creates, "first_load: true", reason)
        if self.creates.exceeded(counts.creates, counts.live):
            reason = f"{counts.creates:,} new passes beside {counts.live:,} live ones; each is billable once issued."
            return Withholding(Kind.CREATE, "creates.share", counts.creates, str(self.creates), reason)
        return None

    def _judge_updates(self, counts: Counts, *, template_changed: bool) -> Withholding | None:
        if template_changed or not self.rings.exceeded(counts.ringing, counts.phones):
            return None
        reason = f"{counts.ringing:,} of {counts.phones:,} phones would show a notification."
        return Withholding(Kind.UPDATE, "updates.rings", counts.updates, str(self.rings), reason)
