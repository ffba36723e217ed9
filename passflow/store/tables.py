"""The tables of the store, for SQLite and PostgreSQL alike.

Times are BIGINT microseconds since 1970 UTC on the database's clock. Hashes are 16 raw bytes. Columns named ``*_sealed``
hold AES-GCM ciphertext; nothing else may hold personal data, tokens or keys.

Narrow and wide are kept apart: a diff reads ``passes`` only, whose key order (program, id hash) is also shard order,
because a shard is a range of the first byte of the id hash.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
    }
)

Hash = LargeBinary
Time = BigInteger

programs = Table(
    "programs",
    metadata,
    Column("program", String(64), primary_key=True),
    Column("template_revision", String(64), comment="of the newest ready plan"),
    Column("read_at", Time, nullable=False, server_default="0", comment="observed_at of the newest ready plan"),
    Column("created_at", Time, nullable=False),
    comment="one row per program; also the row that serialises its leases",
)

store_keys = Table(
    "store_keys",
    metadata,
    Column("name", String(32), primary_key=True, comment="hashing, tokens"),
    Column("master", String(16), nullable=False, comment="members or packages"),
    Column("master_id", String(16), nullable=False, comment="which master key wraps it: hash of that key"),
    Column("wrapped_sealed", LargeBinary, nullable=False),
    comment="random keys of this store, wrapped by a master key; they do not rotate with it",
)

member_keys = Table(
    "member_keys",
    metadata,
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False),
    Column("master_id", String(16), nullable=False, index=True),
    Column("wrapped_sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("program", "id_hash"),
    sqlite_with_rowid=False,
    comment="one random AES-GCM key per member, wrapped by the members master key; erasure destroys the row",
)

passes = Table(
    "passes",
    metadata,
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False, comment="keyed hash of the external id"),
    Column("serial", String(64), nullable=False),
    Column("fingerprint", Hash, nullable=False),
    Column("content_hash", Hash, nullable=False, comment="of what is rendered; equal means no new revision"),
    Column("template_revision", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("origin", String(12), nullable=False),
    Column("adopted", Boolean, nullable=False, comment="the source has shown this member at least once"),
    Column("revision", BigInteger, nullable=False),
    Column("observed_at", Time, nullable=False, comment="store clock when the read behind this state began"),
    Column("due_at", Time, comment="when the status changes next by date alone"),
    Column("operation_id", Hash, nullable=False, comment="the operation that made this revision"),
    Column("event_number", BigInteger, nullable=False, server_default="0"),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    PrimaryKeyConstraint("program", "id_hash"),
    UniqueConstraint("serial"),
    Index("ix_passes_due_at", "program", "due_at", sqlite_where=text("due_at IS NOT NULL"),
          postgresql_where=text("due_at IS NOT NULL")),
    sqlite_with_rowid=False,
    comment="what is issued to one member in one program",
)  # fmt: skip

pass_records = Table(
    "pass_records",
    metadata,
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False),
    Column("record_sealed", LargeBinary, nullable=False, comment="mapped member fields, external id included"),
    Column("overlay_sealed", LargeBinary, comment="what flows and links have set"),
    PrimaryKeyConstraint("program", "id_hash"),
    sqlite_with_rowid=False,
    comment="the member's part of a pass, encrypted with the member's key; apart from passes so that a diff stays narrow",
)

wallet_states = Table(
    "wallet_states",
    metadata,
    Column("serial", String(64), nullable=False),
    Column("wallet", String(32), nullable=False),
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False),
    Column("target_revision", BigInteger, nullable=False, comment="the pass revision the wallet should show"),
    Column("revision", BigInteger, nullable=False, server_default="0", comment="the pass revision the wallet shows"),
    Column("behind", Boolean, nullable=False, comment="revision < target_revision, or to be signed again"),
    Column("installation", String(12), nullable=False, server_default="none"),
    Column("published", BigInteger, comment="number under which the signed bytes became visible to devices"),
    Column("last_modified", BigInteger, comment="whole seconds since 1970; advances by at least 1 per publication"),
    Column("pass_type", String(255)),
    Column("token_hash", Hash, comment="SHA-256 of the authentication token"),
    Column("key_master_id", String(16)),
    Column("key_sealed", LargeBinary, comment="the pass's package key, wrapped by the packages master key"),
    Column("content_sealed", LargeBinary, comment="pass.json as signed"),
    Column("personal_sealed", LargeBinary, comment="JSON of personal files: name to asset hash"),
    Column("signature", LargeBinary, comment="RSA-2048: raw signature; other keys: the whole CMS"),
    Column("signed_at", BigInteger, comment="signing time, whole seconds since 1970"),
    Column("certificate_id", String(64)),
    Column("asset_set", String(64), comment="hash of the shared files"),
    Column("package_format", Integer),
    Column("manifest_hash", LargeBinary, comment="SHA-256 of manifest.json"),
    Column("remote_id", String(255), comment="the provider's id, where the wallet is hosted"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", Time),
    Column("error_code", String(64)),
    PrimaryKeyConstraint("serial", "wallet"),
    Index("ix_wallet_states_behind", "program", "wallet", "id_hash", sqlite_where=text("behind = 1"),
          postgresql_where=text("behind")),
    Index("ix_wallet_states_published", "published"),
    Index("ix_wallet_states_certificate", "program", "certificate_id"),
    comment="one row per pass and wallet: everything that is needed to hand out the pass, read in one row",
)  # fmt: skip

templates = Table(
    "templates",
    metadata,
    Column("revision", String(64), primary_key=True),
    Column("program", String(64), nullable=False),
    Column("document", Text, nullable=False, comment="canonical JSON of design, field types and settings"),
    Column("created_at", Time, nullable=False),
    comment="every template revision that a pass was rendered with",
)

assets = Table(
    "assets",
    metadata,
    Column("hash", String(64), primary_key=True, comment="SHA-256 of the content"),
    Column("kind", String(12), nullable=False, comment="file, set or personal"),
    Column("media_type", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("content", LargeBinary, comment="shared content; a set is a JSON list of (path, hash)"),
    Column("content_sealed", LargeBinary, comment="personal content"),
    Column("created_at", Time, nullable=False),
    comment="content-addressed, immutable files",
)

asset_names = Table(
    "asset_names",
    metadata,
    Column("scope", String(16), nullable=False, comment="library or url"),
    Column("name", String(128), nullable=False, comment="library name, or keyed hash of the URL"),
    Column("hash", String(64), nullable=False),
    Column("updated_at", Time, nullable=False),
    PrimaryKeyConstraint("scope", "name"),
    ForeignKeyConstraint(["hash"], ["assets.hash"]),
    comment="the image library, and what was fetched from which URL",
)

certificates = Table(
    "certificates",
    metadata,
    Column("certificate_id", String(64), primary_key=True, comment="SHA-256 of the leaf, DER"),
    Column("pass_type", String(255), nullable=False),
    Column("team", String(16), nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False, comment="concatenated DER of the intermediates"),
    Column("not_after", Time, nullable=False),
    Column("created_at", Time, nullable=False),
    comment="public halves of every certificate a stored pass was signed with",
)

plans = Table(
    "plans",
    metadata,
    Column("plan_id", String(40), primary_key=True),
    Column("program", String(64), nullable=False),
    Column("status", String(12), nullable=False),
    Column("observed_at", Time, nullable=False),
    Column("template_revision", String(64), nullable=False),
    Column("summary", Text, nullable=False, server_default="{}", comment="JSON: proof, counts, refusals, guard"),
    Column("created_at", Time, nullable=False),
    Column("ready_at", Time),
    Column("applied_at", Time),
    Column("key_sealed", LargeBinary, comment="key of refused rows, wrapped by the members master key"),
    Column("key_master_id", String(16)),
    Index("ix_plans_program_created_at", "program", "created_at"),
)

operations = Table(
    "operations",
    metadata,
    Column("plan_id", String(40), nullable=False),
    Column("op_id", Hash, nullable=False),
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("base_revision", BigInteger, nullable=False),
    Column("fingerprint", Hash, nullable=False),
    Column("status", String(12), nullable=False, comment="status of the pass after it"),
    Column("due_at", Time),
    Column("changed", Text, nullable=False, server_default="", comment="member fields, comma separated"),
    Column("rings", Text, nullable=False, server_default="", comment="pass field keys, comma separated"),
    Column("content_hash", Hash, comment="of what the pass would show after it"),
    Column("record_sealed", LargeBinary),
    Column("withheld", String(32), comment="rule of the guard that holds it back"),
    Column("outcome", String(12), nullable=False, server_default="pending"),
    Column("code", String(64)),
    Column("ended_at", Time),
    PrimaryKeyConstraint("plan_id", "id_hash"),
    Index("ix_operations_op_id", "op_id"),
    Index("ix_operations_history", "program", "id_hash"),
    sqlite_with_rowid=False,
    comment="one create, update or delete of one pass; plan_id 'single' groups are named after their cause",
)

rejected_members = Table(
    "rejected_members",
    metadata,
    Column("plan_id", String(40), nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash),
    Column("code", String(64), nullable=False),
    Column("field", String(128)),
    Column("record_sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("plan_id", "row"),
    Index("ix_rejected_members_id", "program", "id_hash"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("plan_id", String(40), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("ops_hash", String(64), nullable=False),
    Column("approved_by", String(128), nullable=False),
    Column("approved_at", Time, nullable=False),
    Column("used_at", Time),
    PrimaryKeyConstraint("plan_id", "kind"),
)

leases = Table(
    "leases",
    metadata,
    Column("program", String(64), nullable=False),
    Column("low", Integer, nullable=False, comment="first byte of the first id hash"),
    Column("high", Integer, nullable=False, comment="one past the last first byte"),
    Column("token", BigInteger, nullable=False, comment="fencing token"),
    Column("holder", String(128), nullable=False),
    Column("expires_at", Time, nullable=False),
    PrimaryKeyConstraint("program", "token"),
    comment="who may apply in bulk to which range of a program",
)

counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("device_hash", Hash, primary_key=True, comment="keyed hash of the device library identifier"),
    Column("push_token_hash", Hash, nullable=False),
    Column("push_token_sealed", LargeBinary, nullable=False),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    Index("ix_devices_push_token_hash", "push_token_hash"),
)

registrations = Table(
    "registrations",
    metadata,
    Column("device_hash", Hash, nullable=False),
    Column("pass_type", String(255), nullable=False),
    Column("serial", String(64), nullable=False),
    Column("pushed", BigInteger, nullable=False, server_default="0", comment="published number last pushed"),
    Column("created_at", Time, nullable=False),
    Column("updated_at", Time, nullable=False),
    PrimaryKeyConstraint("device_hash", "pass_type", "serial"),
    ForeignKeyConstraint(["device_hash"], ["devices.device_hash"]),
    Index("ix_registrations_serial", "serial"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("event_id", Hash, primary_key=True, comment="H(serial, number)"),
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False),
    Column("serial", String(64), nullable=False),
    Column("number", BigInteger, nullable=False, comment="order within the pass"),
    Column("kind", String(12), nullable=False),
    Column("wallet", String(32)),
    Column("occurred_at", Time, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("data", Text, nullable=False, server_default="{}", comment="JSON without personal data"),
    UniqueConstraint("serial", "number"),
    Index("ix_events_program_occurred_at", "program", "occurred_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("event_id", Hash, nullable=False),
    Column("crm", String(64), nullable=False),
    Column("program", String(64), nullable=False),
    Column("serial", String(64), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("state", String(12), nullable=False, server_default="due"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Time, nullable=False),
    Column("code", String(64)),
    Column("delivered_at", Time),
    PrimaryKeyConstraint("event_id", "crm"),
    Index("ix_deliveries_due", "crm", "state", "due_at"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("message_id", String(128), nullable=False),
    Column("sender", String(64), nullable=False),
    Column("program", String(64)),
    Column("id_hash", Hash),
    Column("received_at", Time, nullable=False),
    Column("handled_at", Time),
    Column("outcome", String(12)),
    Column("code", String(64)),
    Column("body_sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sender", "message_id"),
    Index("ix_inbox_handled_at", "handled_at", "received_at"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("program", String(64), nullable=False),
    Column("id_hash", Hash, nullable=False, comment="tombstone: this external id does not come back unnoticed"),
    Column("serial", String(64)),
    Column("receipt_id", String(40), nullable=False, unique=True),
    Column("requested_at", Time, nullable=False),
    Column("deadline_at", Time, nullable=False),
    Column("completed_at", Time),
    Column("steps", Text, nullable=False, server_default="{}", comment="JSON: what is done, when"),
    PrimaryKeyConstraint("program", "id_hash"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_hash", Hash, primary_key=True),
    Column("program", String(64)),
    Column("scopes", Text, nullable=False),
    Column("label", String(128), nullable=False),
    Column("created_at", Time, nullable=False),
    Column("expires_at", Time),
)

nonces = Table(
    "nonces",
    metadata,
    Column("scope", String(32), nullable=False),
    Column("nonce_hash", Hash, nullable=False),
    Column("expires_at", Time, nullable=False),
    PrimaryKeyConstraint("scope", "nonce_hash"),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Time, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("program", String(64)),
    Column("subject", String(128), comment="plan id, receipt id, serial; never personal data"),
    Column("details", Text, nullable=False, server_default="{}"),
    comment="who did what when; survives erasure",
)
