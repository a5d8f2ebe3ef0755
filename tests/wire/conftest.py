"""What the tests of the wire share."""

from pathlib import Path

import pytest

from postroom.testing.certificates import trusted


@pytest.fixture
def _authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients trust the practice authority and nobody else."""
    path = tmp_path / "authority.pem"
    path.write_bytes(trusted().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
