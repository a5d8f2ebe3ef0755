import subprocess
import sys

from tests.cli.tools import environment, postroom


def test_a_command_without_a_database_loads_no_django(tmp_path):
    script = (
        "import sys\n"
        "from postroom.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert not [name for name in sys.modules if name.split('.')[0] == 'django'], 'django was loaded'"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(tmp_path), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    for name in ("serve", "web", "worker", "delivery", "sync", "ingress", "backup", "restore", "doctor"):
        assert f"\n    {name} " in done.stdout


def test_every_command_explains_itself(tmp_path):
    for name in ("serve", "backup", "restore", "doctor", "migrate"):
        done = postroom(name, "--help", env=environment(tmp_path))
        assert done.returncode == 0
        assert done.stdout.startswith(f"usage: postroom {name}")


def test_an_unknown_command_is_refused(tmp_path):
    done = postroom("sned", env=environment(tmp_path))
    assert done.returncode == 2
    assert "sned" in done.stderr
