"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Brings the store one step forward."""
    op.create_table(
        "api_keys",
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "approvals",
        sa.Column("plan_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("ops_hash", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=128), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "kind", name=op.f("pk_approvals")),
    )
    op.create_table(
        "assets",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of the content"),
        sa.Column("kind", sa.String(length=12), nullable=False, comment="file, set or personal"),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column(
            "content", sa.LargeBinary(), nullable=True, comment="shared content; a set is a JSON list of (path, hash)"
        ),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True, comment="personal content"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_assets")),
        comment="content-addressed, immutable files",
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=True),
        sa.Column(
            "subject", sa.String(length=128), nullable=True, comment="plan id, receipt id, serial; never personal data"
        ),
        sa.Column("details", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
        comment="who did what when; survives erasure",
    )
    op.create_table(
        "certificates",
        sa.Column("certificate_id", sa.String(length=64), nullable=False, comment="SHA-256 of the leaf, DER"),
        sa.Column("pass_type", sa.String(length=255), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False, comment="concatenated DER of the intermediates"),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("certificate_id", name=op.f("pk_certificates")),
        comment="public halves of every certificate a stored pass was signed with",
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "deliveries",
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.Column("crm", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), server_default="due", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", "crm", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["crm", "state", "due_at"], unique=False)
    op.create_table(
        "devices",
        sa.Column(
            "device_hash", sa.LargeBinary(), nullable=False, comment="keyed hash of the device library identifier"
        ),
        sa.Column("push_token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("push_token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_devices")),
    )
    op.create_index("ix_devices_push_token_hash", "devices", ["push_token_hash"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column(
            "id_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="tombstone: this external id does not come back unnoticed",
        ),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("receipt_id", sa.String(length=40), nullable=False),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("completed_at", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.Text(), server_default="{}", nullable=False, comment="JSON: what is done, when"),
        sa.PrimaryKeyConstraint("program", "id_hash", name=op.f("pk_erasures")),
        sa.UniqueConstraint("receipt_id", name=op.f("uq_erasures_receipt_id")),
    )
    op.create_table(
        "events",
        sa.Column("event_id", sa.LargeBinary(), nullable=False, comment="H(serial, number)"),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="order within the pass"),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("wallet", sa.String(length=32), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text(), server_default="{}", nullable=False, comment="JSON without personal data"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_events")),
        sa.UniqueConstraint("serial", "number", name=op.f("uq_events_serial_number")),
    )
    op.create_index("ix_events_program_occurred_at", "events", ["program", "occurred_at"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=True),
        sa.Column("id_hash", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("handled_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "message_id", name=op.f("pk_inbox")),
    )
    op.create_index("ix_inbox_handled_at", "inbox", ["handled_at", "received_at"], unique=False)
    op.create_table(
        "leases",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False, comment="first byte of the first id hash"),
        sa.Column("high", sa.Integer(), nullable=False, comment="one past the last first byte"),
        sa.Column("token", sa.BigInteger(), nullable=False, comment="fencing token"),
        sa.Column("holder", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", "token", name=op.f("pk_leases")),
        comment="who may apply in bulk to which range of a program",
    )
    op.create_table(
        "member_keys",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("master_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("program", "id_hash", name=op.f("pk_member_keys")),
        comment="one random AES-GCM key per member, wrapped by the members master key; erasure destroys the row",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_member_keys_master_id"), "member_keys", ["master_id"], unique=False)
    op.create_table(
        "nonces",
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "nonce_hash", name=op.f("pk_nonces")),
    )
    op.create_table(
        "operations",
        sa.Column("plan_id", sa.String(length=40), nullable=False),
        sa.Column("op_id", sa.LargeBinary(), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("base_revision", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False, comment="status of the pass after it"),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("changed", sa.Text(), server_default="", nullable=False, comment="member fields, comma separated"),
        sa.Column("rings", sa.Text(), server_default="", nullable=False, comment="pass field keys, comma separated"),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True, comment="of what the pass would show after it"),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("withheld", sa.String(length=32), nullable=True, comment="rule of the guard that holds it back"),
        sa.Column("outcome", sa.String(length=12), server_default="pending", nullable=False),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", "id_hash", name=op.f("pk_operations")),
        comment="one create, update or delete of one pass; plan_id 'single' groups are named after their cause",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_operations_history", "operations", ["program", "id_hash"], unique=False)
    op.create_index("ix_operations_op_id", "operations", ["op_id"], unique=False)
    op.create_table(
        "pass_records",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "record_sealed", sa.LargeBinary(), nullable=False, comment="mapped member fields, external id included"
        ),
        sa.Column("overlay_sealed", sa.LargeBinary(), nullable=True, comment="what flows and links have set"),
        sa.PrimaryKeyConstraint("program", "id_hash", name=op.f("pk_pass_records")),
        comment="the member's part of a pass, encrypted with the member's key; apart from passes so that a diff stays narrow",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "passes",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False, comment="keyed hash of the external id"),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column(
            "content_hash", sa.LargeBinary(), nullable=False, comment="of what is rendered; equal means no new revision"
        ),
        sa.Column("template_revision", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("origin", sa.String(length=12), nullable=False),
        sa.Column("adopted", sa.Boolean(), nullable=False, comment="the source has shown this member at least once"),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column(
            "observed_at", sa.BigInteger(), nullable=False, comment="store clock when the read behind this state began"
        ),
        sa.Column("due_at", sa.BigInteger(), nullable=True, comment="when the status changes next by date alone"),
        sa.Column("operation_id", sa.LargeBinary(), nullable=False, comment="the operation that made this revision"),
        sa.Column("event_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", "id_hash", name=op.f("pk_passes")),
        sa.UniqueConstraint("serial", name=op.f("uq_passes_serial")),
        comment="what is issued to one member in one program",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_passes_due_at",
        "passes",
        ["program", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.String(length=40), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("template_revision", sa.String(length=64), nullable=False),
        sa.Column(
            "summary", sa.Text(), server_default="{}", nullable=False, comment="JSON: proof, counts, refusals, guard"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=True),
        sa.Column("applied_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "key_sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="key of refused rows, wrapped by the members master key",
        ),
        sa.Column("key_master_id", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_program_created_at", "plans", ["program", "created_at"], unique=False)
    op.create_table(
        "programs",
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("template_revision", sa.String(length=64), nullable=True, comment="of the newest ready plan"),
        sa.Column(
            "read_at",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="observed_at of the newest ready plan",
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program", name=op.f("pk_programs")),
        comment="one row per program; also the row that serialises its leases",
    )
    op.create_table(
        "rejected_members",
        sa.Column("plan_id", sa.String(length=40), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("field", sa.String(length=128), nullable=True),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "row", name=op.f("pk_rejected_members")),
    )
    op.create_index("ix_rejected_members_id", "rejected_members", ["program", "id_hash"], unique=False)
    op.create_table(
        "store_keys",
        sa.Column("name", sa.String(length=32), nullable=False, comment="hashing, tokens"),
        sa.Column("master", sa.String(length=16), nullable=False, comment="members or packages"),
        sa.Column(
            "master_id", sa.String(length=16), nullable=False, comment="which master key wraps it: hash of that key"
        ),
        sa.Column("wrapped_sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_keys")),
        comment="random keys of this store, wrapped by a master key; they do not rotate with it",
    )
    op.create_table(
        "templates",
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False, comment="canonical JSON of design, field types and settings"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_templates")),
        comment="every template revision that a pass was rendered with",
    )
    op.create_table(
        "wallet_states",
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("wallet", sa.String(length=32), nullable=False),
        sa.Column("program", sa.String(length=64), nullable=False),
        sa.Column("id_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "target_revision", sa.BigInteger(), nullable=False, comment="the pass revision the wallet should show"
        ),
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="the pass revision the wallet shows",
        ),
        sa.Column("behind", sa.Boolean(), nullable=False, comment="revision < target_revision, or to be signed again"),
        sa.Column("installation", sa.String(length=12), server_default="none", nullable=False),
        sa.Column(
            "published",
            sa.BigInteger(),
            nullable=True,
            comment="number under which the signed bytes became visible to devices",
        ),
        sa.Column(
            "last_modified",
            sa.BigInteger(),
            nullable=True,
            comment="whole seconds since 1970; advances by at least 1 per publication",
        ),
        sa.Column("pass_type", sa.String(length=255), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True, comment="SHA-256 of the authentication token"),
        sa.Column("key_master_id", sa.String(length=16), nullable=True),
        sa.Column(
            "key_sealed",
            sa.LargeBinary(),
            nullable=True,
            comment="the pass's package key, wrapped by the packages master key",
        ),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True, comment="pass.json as signed"),
        sa.Column(
            "personal_sealed", sa.LargeBinary(), nullable=True, comment="JSON of personal files: name to asset hash"
        ),
        sa.Column(
            "signature", sa.LargeBinary(), nullable=True, comment="RSA-2048: raw signature; other keys: the whole CMS"
        ),
        sa.Column("signed_at", sa.BigInteger(), nullable=True, comment="signing time, whole seconds since 1970"),
        sa.Column("certificate_id", sa.String(length=64), nullable=True),
        sa.Column("asset_set", sa.String(length=64), nullable=True, comment="hash of the shared files"),
        sa.Column("package_format", sa.Integer(), nullable=True),
        sa.Column("manifest_hash", sa.LargeBinary(), nullable=True, comment="SHA-256 of manifest.json"),
        sa.Column(
            "remote_id", sa.String(length=255), nullable=True, comment="the provider's id, where the wallet is hosted"
        ),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("retry_at", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("serial", "wallet", name=op.f("pk_wallet_states")),
        comment="one row per pass and wallet: everything that is needed to hand out the pass, read in one row",
    )
    op.create_index(
        "ix_wallet_states_behind",
        "wallet_states",
        ["program", "wallet", "id_hash"],
        unique=False,
        sqlite_where=sa.text("behind = 1"),
        postgresql_where=sa.text("behind"),
    )
    op.create_index("ix_wallet_states_certificate", "wallet_states", ["program", "certificate_id"], unique=False)
    op.create_index("ix_wallet_states_published", "wallet_states", ["published"], unique=False)
    op.create_table(
        "asset_names",
        sa.Column("scope", sa.String(length=16), nullable=False, comment="library or url"),
        sa.Column("name", sa.String(length=128), nullable=False, comment="library name, or keyed hash of the URL"),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["assets.hash"], name=op.f("fk_asset_names_assets")),
        sa.PrimaryKeyConstraint("scope", "name", name=op.f("pk_asset_names")),
        comment="the image library, and what was fetched from which URL",
    )
    op.create_table(
        "registrations",
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.Column("pass_type", sa.String(length=255), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column(
            "pushed", sa.BigInteger(), server_default="0", nullable=False, comment="published number last pushed"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device_hash"], ["devices.device_hash"], name=op.f("fk_registrations_devices")),
        sa.PrimaryKeyConstraint("device_hash", "pass_type", "serial", name=op.f("pk_registrations")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_registrations_serial", "registrations", ["serial"], unique=False)
