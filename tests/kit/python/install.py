"""The install command: writes a file into the release that its server needs."""

import json
import sys
from pathlib import Path

behaviour = json.loads(Path("behaviour.json").read_text())
if behaviour.get("install") == "fail":
    sys.exit("planted: it does not install")
Path("generated.json").write_text(json.dumps({"installed": f"for {behaviour['version']}"}))
