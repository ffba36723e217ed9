"""Master keys on the command line: which are needed, and replacing one."""

from passflow.security.keyring import MasterKey


def test_status_counts_rows_by_key(project):
    project.applied()
    ended = project.run("keys", "status")
    assert ended.status == 0
    assert "20 rows of member_keys" in ended.out
    assert "20 rows of wallet_states" in ended.out
    document = project.run("keys", "status", "--json").json
    assert all(use["held"] and use["newest"] for use in document["uses"])


def test_a_key_is_replaced_without_losing_a_pass(project):
    project.applied()
    path = project.home / "keys" / "members.key"
    old, new = path.read_text().strip(), MasterKey().text
    path.write_text(f"{new}\n{old}\n")
    assert "old, `passflow keys rotate` replaces it" in project.run("keys", "status").out
    rotated = project.run("keys", "rotate", "--role", "members", "--json").json
    assert rotated["wrapped"]["members"] > 20
    assert "packages" not in rotated["wrapped"]
    path.write_text(f"{new}\n")
    assert project.run("keys", "status").status == 0
    assert project.run("pass", "export", "M0001").status == 0
    assert project.run("plan").status == 0


def test_a_key_that_is_needed_and_missing_is_named(project):
    project.applied()
    path = project.home / "keys" / "members.key"
    path.write_text(MasterKey().text + "\n")
    ended = project.run("keys", "status")
    assert ended.status == 1
    assert "not held" in ended.out or "error[crypto.master_unknown]" in ended.err


def test_keys_are_never_printed(project):
    project.applied()
    secrets = [path.read_text().strip() for path in (project.home / "keys").iterdir()]
    assert len(secrets) == 2
    for arguments in (("keys", "status"), ("keys", "rotate"), ("doctor",), ("status", "--json")):
        ended = project.run(*arguments)
        assert not any(secret in ended.out + ended.err for secret in secrets)
