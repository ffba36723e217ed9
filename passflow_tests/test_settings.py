from __future__ import annotations

import stat

import pytest

from passflow.errors import ConfigError, CryptoError
from passflow.security.keyring import MasterKey
from passflow.settings import open_keyring, open_store, prepare_home, read_settings
from passflow.store.migrate import check, upgrade


def test_without_any_variable_all_is_in_one_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings({})
    assert settings.home == tmp_path / ".passflow"
    assert settings.store_url == f"sqlite:///{tmp_path}/.passflow/store.db"
    assert settings.dagster_home == tmp_path / ".passflow" / "dagster"
    assert settings.base_url is settings.members_key is settings.packages_key is None


def test_variables_win(tmp_path):
    settings = read_settings(
        {
            "PASSFLOW_HOME": str(tmp_path / "h"),
            "PASSFLOW_STORE_URL": "postgresql://u:p@db/passflow",
            "PASSFLOW_BASE_URL": "https://passes.example.com/wallet/",
            "DAGSTER_HOME": str(tmp_path / "d"),
            "PASSFLOW_MEMBERS_KEY": "file:/run/secrets/members",
            "PASSFLOW_PACKAGES_KEY": MasterKey().text,
        }
    )
    assert settings.store_url == "postgresql://u:p@db/passflow"
    assert settings.base_url == "https://passes.example.com/wallet"
    assert settings.dagster_home == tmp_path / "d"
    assert (str(settings.members_key), str(settings.packages_key)) == (
        "file:/run/secrets/members",
        "env:PASSFLOW_PACKAGES_KEY",
    )


def test_a_password_in_the_url_is_not_printed():
    settings = read_settings({"PASSFLOW_STORE_URL": "postgresql://u:hunter22@db/passflow"})
    assert "hunter22" not in repr(settings) + str(settings)


def test_keys_are_made_once_and_private(tmp_path):
    home = tmp_path / "home"
    variables = {"PASSFLOW_HOME": str(home)}
    made = prepare_home(read_settings(variables), create_keys=True)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700 and stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    ring = open_keyring(made)
    again = open_keyring(prepare_home(read_settings(variables), create_keys=True))
    assert [again.ids(role) for role in ("members", "packages")] == [ring.ids(role) for role in ("members", "packages")]
    assert ring.ids("members") != ring.ids("packages")


def test_a_key_from_the_environment_gets_no_file(tmp_path):
    variables = {"PASSFLOW_HOME": str(tmp_path), "PASSFLOW_MEMBERS_KEY": MasterKey().text}
    prepare_home(read_settings(variables), create_keys=True)
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["packages.key"]


def test_nothing_is_made_unless_asked(tmp_path):
    prepare_home(read_settings({"PASSFLOW_HOME": str(tmp_path / "home")}))
    assert list((tmp_path / "home").iterdir()) == []


def test_a_store_opens_with_the_roles_asked_for(tmp_path):
    settings = prepare_home(read_settings({"PASSFLOW_HOME": str(tmp_path / "home")}), create_keys=True)
    whole = open_store(settings)
    upgrade(whole)
    whole.dispose()
    gateway = open_store(settings, roles=["packages"])
    check(gateway)
    assert not gateway.keyring.holds("members")
    gateway.dispose()


def test_one_key_for_both_roles_is_refused(monkeypatch):
    key = MasterKey().text
    variables = {"PASSFLOW_MEMBERS_KEY": key, "PASSFLOW_PACKAGES_KEY": key}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CryptoError, match="share a key"):
        open_keyring(read_settings())


@pytest.mark.parametrize(
    "url",
    [
        "http://passes.example.com",
        "passes.example.com",
        "ftp://x",
        "https://",
        "https://user@host",
        "https://host/?a=1",
        "https://host/#x",
        "http://127.0.0.1.example.com",
    ],
)
def test_addresses_that_phones_could_not_use_are_refused(url):
    with pytest.raises(ConfigError, match="PASSFLOW_BASE_URL"):
        read_settings({"PASSFLOW_BASE_URL": url})


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000", "https://a.example"]
)
def test_https_or_this_machine(url):
    assert read_settings({"PASSFLOW_BASE_URL": url + "/"}).base_url == url


@pytest.mark.parametrize("url", ["mysql://db/x", "sqlite://", "sqlite:///:memory:", "nonsense", "://"])
def test_other_databases_are_refused_with_the_fix(url):
    with pytest.raises(ConfigError, match="sqlite:///path"):
        read_settings({"PASSFLOW_STORE_URL": url})
