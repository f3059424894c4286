import subprocess
import sys


def test_importing_it_prints_nothing():
    code = "import metaglot.core.common.quiet_learn2learn"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
