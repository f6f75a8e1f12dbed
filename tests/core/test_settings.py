"""Settings: what is refused at start, and that no secret is ever printed."""

from pathlib import Path

import pytest

from core.errors import ConfigurationError
from core.settings import Settings, load_settings

FEISHU = """
[feishu]
app_id = "cli_1"
app_secret = "s-3cr3t-of-the-app"
encrypt_key = "k-3y-of-the-app"
verification_token = "t-0ken-of-the-app"
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Write":
    """Writes a settings file and makes it the one in use."""
    return Write(tmp_path / "xops.toml", monkeypatch)


class Write:
    """Puts text into the settings file."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self._monkeypatch = monkeypatch

    def __call__(self, text: str, **environment: str) -> None:
        """Write the file, and set environment variables."""
        self.path.write_text(text, "utf-8")
        for name, value in {"XOPS_SETTINGS": str(self.path), **environment}.items():
            self._monkeypatch.setenv(name, value)


def test_without_a_file_the_demonstration_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anyone can start with nothing."""
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert [connection.kind for connection in settings.schedulers] == ["simulated"]
    assert not settings.feishu.app_id
    assert not settings.model.name


def test_the_environment_wins_over_the_file(write: Write) -> None:
    """A container sets one value without a file of its own."""
    write('language = "en"\n[server]\nport = 9000\n', XOPS_SERVER__PORT="9001")
    assert (load_settings().language, load_settings().server.port) == ("en", 9001)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", "server.prot"),
        ("this is = not [toml", "xops.toml"),
        ('zone = "Asia/Atlantis"', "Asia/Atlantis"),
        ('[feishu]\napp_id = "cli_1"\n', "too: app_secret$"),
        ('[feishu]\napp_id = "cli_1"\nmode = "webhook"\n', "app_secret, encrypt_key, verification_token"),
        ('[web]\nsign_on_token = "changeme"\n', "web.sign_on_token"),
        ('[web]\nsign_on_token = "short"\n', "web.sign_on_token"),
        ('[[schedulers]]\nname = "a"\nkind = "airflow"\n', "needs url"),
        ('[[schedulers]]\nname = "a"\nkind = "airflow"\nurl = "http://a"\n', "username and password, or token"),
        ('[[schedulers]]\nname = "a:b"\nkind = "simulated"\n', "schedulers.0.name"),
        ('[[people]]\nname = "a"\n[[people]]\nname = "a"\n', "used twice"),
        ('[[people]]\nname = "a"\nrole = "root"\n', "people.0.role"),
    ],
)
def test_what_cannot_work_is_refused_by_name(write: Write, text: str, said: str) -> None:
    """One clear message at start, not a surprise at night."""
    write(text)
    with pytest.raises(ConfigurationError, match=said.replace(".", r"\.")):
        load_settings()


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A misspelt XOPS_SETTINGS must not silently start the demonstration."""
    monkeypatch.setenv("XOPS_SETTINGS", str(tmp_path / "absent.toml"))
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_settings()


def test_secrets_never_print(write: Write) -> None:
    """Neither settings nor the error about them show a secret."""
    write(FEISHU)
    shown = repr(load_settings()) + str(load_settings())
    assert "of-the-app" not in shown
    write(FEISHU.replace("s-3cr3t-of-the-app", "hunter2"))
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_settings_cannot_be_changed_afterwards() -> None:
    """What was checked stays what is used."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().language = "en"
