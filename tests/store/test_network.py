"""Whether a home lies on a network file system, from made-up lists of mounts, and that it is said at opening."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from llm_core.store import home as home_module
from llm_core.store import network
from llm_core.store.home import open_home
from llm_core.usage.doctor import verify

MOUNTINFO = r"""27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 27 0:40 / /home rw shared:9 master:2 - nfs4 files:/export/home rw,vers=4.2
31 30 0:41 / /home/ann/local rw - tmpfs tmpfs rw
32 27 0:42 / /mnt/gr\303\274n\040und\134blau rw - fuse.sshfs ann@files: rw
33 27 0:43 / /mnt/disk rw - fuse.ntfs-3g /dev/sdb1 rw
34 27 0:44 / /srv rw - 9p host rw,trans=virtio
35 27 0:45 / /srv rw - xfs /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/x", None),
        ("/home", "nfs4"),
        ("/home/ann/.local/share", "nfs4"),
        ("/home/ann/local/x", None),
        ("/homely", None),
        ("/mnt/grün und\\blau/x", "sshfs"),
        ("/mnt/disk/x", None),
        ("/srv/x", None),
    ],
)
def test_the_deepest_and_latest_mount_above_a_path_tells(path: str, kind: str | None) -> None:
    text = MOUNTINFO.encode().decode("latin-1")
    assert network.kind_of(path, network.read_mountinfo(text)) == kind


def test_what_mount_prints_on_macos_is_read() -> None:
    text = """/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//ann@files/a%20b on /Volumes/a b (smbfs, nodev, nosuid, mounted by ann)
"""
    mounts = network.read_mount(text)
    assert network.kind_of("/Volumes/a b/llm", mounts) == "smbfs"
    assert network.kind_of("/Users/ann", mounts) is None


def test_a_home_on_a_network_is_told_once_and_by_the_doctor(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert verify(open_home(home)).findings == ()
    home_module._looked_at.clear()
    mounts = [*network._linux_mounts(), (str(home.resolve()), "nfs4")]
    monkeypatch.setattr(network, "_linux_mounts", lambda: mounts)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            opened = open_home(home)
    assert [f"{home} lies on a network file system (nfs4)." in told for told in caplog.messages] == [True]
    (finding,) = verify(opened).findings
    assert (finding.severity, "LLM_MANAGER_HOME" in finding.hint) == ("warning", True)
