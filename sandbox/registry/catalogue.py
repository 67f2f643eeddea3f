"""Vulnerabilities of the account's images: real CVE ids, packages and versions.

Sources: Debian security tracker (package, fixed version in bookworm), NVD or the reporting CNA
(score, vector), advisories of Django and setuptools. Facts only; the titles are our own words.
An image has the packages of its generation, and a later generation has the fixes of its day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.registry.tools import UNSUPPORTED

OS, PYTHON = "OS", "PYTHON"


@dataclass(frozen=True)
class Vulnerability:
    """One CVE. `fixed` is None where the distribution has no fix; `until` is the last generation
    that has it. `score` and `vector` are CVSS 3.1's; `epss` is from 0 to 1; `cwe` a weakness id.
    """

    id: str
    package: str
    severity: str
    score: float
    vector: str
    title: str
    fixed: str | None
    until: int
    epss: float
    cwe: str
    manager: str = OS
    exploited: bool = False


@dataclass(frozen=True)
class Finding:
    """A vulnerability in the version of its package that an image has."""

    vulnerability: Vulnerability
    version: str


_REMOTE = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U"
_LOCAL = "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U"
# Versions by generation: images 1.2.x, 1.3.x, 1.4.0 on Debian 12; 1.4.1 and later on Debian 13.
PLATFORMS = ("DEBIAN_12", "DEBIAN_12", "DEBIAN_12", "DEBIAN_13")
_VERSIONS: Mapping[str, tuple[str, str, str, str]] = {
    "curl": ("7.88.1-10+deb12u1", "7.88.1-10+deb12u8", "7.88.1-10+deb12u14", "8.14.1-2"),
    "openssl": ("3.0.9-1", "3.0.14-1~deb12u1", "3.0.17-1~deb12u2", "3.5.1-1+deb13u1"),
    "expat": ("2.5.0-1", "2.5.0-1", "2.5.0-1+deb12u2", "2.7.1-2"),
    "glibc": ("2.36-9+deb12u1", "2.36-9+deb12u7", "2.36-9+deb12u13", "2.41-12"),
    "krb5": ("1.20.1-2", "1.20.1-2+deb12u1", "1.20.1-2+deb12u4", "1.21.3-5"),
    "zlib": (*("1:1.2.13.dfsg-1",) * 3, "1:1.3.dfsg+really1.3.1-1"),
    "nghttp2": ("1.52.0-1", *("1.52.0-1+deb12u2",) * 2, "1.64.0-1.1"),
    "gnutls28": ("3.7.9-2", "3.7.9-2+deb12u3", "3.7.9-2+deb12u5", "3.8.9-3"),
    "perl": ("5.36.0-7", *("5.36.0-7+deb12u2",) * 2, "5.40.1-6"),
    "util-linux": ("2.38.1-5", *("2.38.1-5+deb12u3",) * 2, "2.41-5"),
    "ncurses": (*("6.4-4",) * 3, "6.5+20250216-2"),
    "coreutils": (*("9.1-1",) * 3, "9.7-3"),
    "apt": (*("2.6.1",) * 3, "3.0.3"),
    "Django": ("4.2.16", "5.2.5", "5.2.7", "5.2.8"),
    "setuptools": ("65.5.1", "65.5.1", "79.0.1", "79.0.1"),
    "gunicorn": ("21.2.0", "23.0.0", "23.0.0", "23.0.0"),
    "requests": ("2.31.0", "2.32.3", "2.32.5", "2.32.5"),
}
VULNERABILITIES = (
    Vulnerability("CVE-2023-38545", "curl", "CRITICAL", 9.8, f"{_REMOTE}/C:H/I:H/A:H",
                  "curl: heap overflow in the SOCKS5 handshake", "7.88.1-10+deb12u4", 0, 0.265,
                  "CWE-787"),
    Vulnerability("CVE-2024-45491", "expat", "CRITICAL", 9.8, f"{_REMOTE}/C:H/I:H/A:H",
                  "expat: integer overflow in dtdCopy", "2.5.0-1+deb12u1", 1, 0.013, "CWE-190"),
    Vulnerability("CVE-2024-45492", "expat", "CRITICAL", 9.8, f"{_REMOTE}/C:H/I:H/A:H",
                  "expat: integer overflow in nextScaffoldPart", "2.5.0-1+deb12u1", 1, 0.014,
                  "CWE-190"),
    Vulnerability("CVE-2023-45853", "zlib", "CRITICAL", 9.8, f"{_REMOTE}/C:H/I:H/A:H",
                  "zlib: integer overflow in MiniZip", None, 2, 0.012, "CWE-190"),
    Vulnerability("CVE-2024-5535", "openssl", "CRITICAL", 9.1, f"{_REMOTE}/C:H/I:N/A:H",
                  "openssl: over-read in SSL_select_next_proto", "3.0.15-1~deb12u1", 1, 0.045,
                  "CWE-200"),
    Vulnerability("CVE-2024-37371", "krb5", "CRITICAL", 9.1, f"{_REMOTE}/C:H/I:N/A:H",
                  "krb5: invalid reads of GSS message tokens", "1.20.1-2+deb12u2", 1, 0.009,
                  "CWE-125"),
    Vulnerability("CVE-2024-53908", "Django", "CRITICAL", 9.8, f"{_REMOTE}/C:H/I:H/A:H",
                  "Django: SQL injection in HasKey on Oracle", "4.2.17", 0, 0.003, "CWE-89",
                  PYTHON),
    Vulnerability("CVE-2025-64459", "Django", "CRITICAL", 9.1, f"{_REMOTE}/C:H/I:H/A:N",
                  "Django: SQL injection by the _connector argument", "4.2.26, 5.2.8", 2, 0.004,
                  "CWE-89", PYTHON),
    Vulnerability("CVE-2023-4911", "glibc", "HIGH", 7.8, f"{_LOCAL}/C:H/I:H/A:H",
                  "glibc: overflow while reading GLIBC_TUNABLES", "2.36-9+deb12u3", 0, 0.69,
                  "CWE-122", exploited=True),
    Vulnerability("CVE-2024-33599", "glibc", "HIGH", 8.1,
                  "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
                  "glibc: stack overflow in nscd's netgroup cache", "2.36-9+deb12u7", 0, 0.007,
                  "CWE-121"),
    Vulnerability("CVE-2024-2961", "glibc", "HIGH", 7.3, f"{_REMOTE}/C:L/I:L/A:L",
                  "glibc: out-of-bounds write in iconv's ISO-2022-CN-EXT", "2.36-9+deb12u6", 0,
                  0.93, "CWE-787", exploited=True),
    Vulnerability("CVE-2023-5363", "openssl", "HIGH", 7.5, f"{_REMOTE}/C:H/I:N/A:N",
                  "openssl: wrong processing of key and IV lengths", "3.0.11-1~deb12u2", 0, 0.03,
                  "CWE-684"),
    Vulnerability("CVE-2023-44487", "nghttp2", "HIGH", 7.5, f"{_REMOTE}/C:N/I:N/A:H",
                  "HTTP/2: streams cancelled in rapid succession", "1.52.0-1+deb12u1", 0, 0.944,
                  "CWE-400", exploited=True),
    Vulnerability("CVE-2024-37370", "krb5", "HIGH", 7.5, f"{_REMOTE}/C:N/I:H/A:N",
                  "krb5: GSS wrap tokens can be changed", "1.20.1-2+deb12u2", 1, 0.006, "CWE-130"),
    Vulnerability("CVE-2024-0553", "gnutls28", "HIGH", 7.5, f"{_REMOTE}/C:H/I:N/A:N",
                  "gnutls: timing side channel in RSA-PSK", "3.7.9-2+deb12u2", 0, 0.012,
                  "CWE-203"),
    Vulnerability("CVE-2023-47038", "perl", "HIGH", 7.8,
                  "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
                  "perl: write past the end by a Unicode property", "5.36.0-7+deb12u1", 0, 0.001,
                  "CWE-787"),
    Vulnerability("CVE-2025-9230", "openssl", "HIGH", 7.5, f"{_REMOTE}/C:N/I:N/A:H",
                  "openssl: out-of-bounds access in CMS decryption", "3.0.17-1~deb12u3", 2, 0.001,
                  "CWE-787"),
    Vulnerability("CVE-2024-6345", "setuptools", "HIGH", 8.8,
                  "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
                  "setuptools: code execution in package_index", "70.0.0", 1, 0.011, "CWE-94",
                  PYTHON),
    Vulnerability("CVE-2025-57833", "Django", "HIGH", 7.1,
                  "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:H/A:L",
                  "Django: SQL injection in FilteredRelation aliases", "4.2.24, 5.2.6", 1, 0.002,
                  "CWE-89", PYTHON),
    Vulnerability("CVE-2024-1135", "gunicorn", "HIGH", 7.5, f"{_REMOTE}/C:N/I:H/A:N",
                  "gunicorn: request smuggling by Transfer-Encoding", "22.0.0", 0, 0.006,
                  "CWE-444", PYTHON),
    Vulnerability("CVE-2023-46218", "curl", "MEDIUM", 6.5, f"{_REMOTE}/C:L/I:L/A:N",
                  "curl: cookies set for public suffixes", "7.88.1-10+deb12u5", 0, 0.008,
                  "CWE-201"),
    Vulnerability("CVE-2024-0727", "openssl", "MEDIUM", 5.5,
                  "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H",
                  "openssl: null dereference in PKCS12 parsing", "3.0.13-1~deb12u1", 0, 0.003,
                  "CWE-476"),
    Vulnerability("CVE-2023-50495", "ncurses", "MEDIUM", 6.5,
                  "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H",
                  "ncurses: segmentation fault in _nc_wrap_entry", None, 2, 0.001, "CWE-120"),
    Vulnerability("CVE-2024-28834", "gnutls28", "MEDIUM", 5.3,
                  "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:N/A:N",
                  "gnutls: timing side channel in deterministic ECDSA", "3.7.9-2+deb12u3", 0,
                  0.002, "CWE-327"),
    Vulnerability("CVE-2024-47081", "requests", "MEDIUM", 5.3,
                  "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N",
                  "requests: netrc credentials sent to the wrong host", "2.32.4", 1, 0.001,
                  "CWE-522", PYTHON),
    Vulnerability("CVE-2016-2781", "coreutils", "LOW", 6.5,
                  "CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:C/C:N/I:H/A:N",
                  "coreutils: chroot can escape to the parent session", None, 3, 0.001, "CWE-20"),
    Vulnerability("CVE-2024-28085", "util-linux", "LOW", 3.3, f"{_LOCAL}/C:N/I:L/A:N",
                  "util-linux: wall passes escape sequences on", "2.38.1-5+deb12u1", 0, 0.03,
                  "CWE-150"),
    Vulnerability("CVE-2011-3374", "apt", "LOW", 3.7,
                  "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:L/A:N",
                  "apt: apt-key trusts keys it should not", None, 3, 0.016, "CWE-347"),
    Vulnerability("CVE-2010-4756", "glibc", "INFORMATIONAL", 4.0,
                  "CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L",
                  "glibc: glob can use much CPU and memory", None, 3, 0.005, "CWE-399"),
    Vulnerability("CVE-2022-0563", "util-linux", "INFORMATIONAL", 5.5, f"{_LOCAL}/C:H/I:N/A:N",
                  "util-linux: chfn and chsh show part of a file", None, 3, 0.001, "CWE-209"),
)  # fmt: skip


def generation(tag: str) -> int | None:
    """Which packages the image of that tag has; None when a scanner cannot read the image."""
    if tag in UNSUPPORTED:
        return None
    if tag.startswith(("1.2.", "migrate")):
        return 0
    if tag.startswith("1.3."):
        return 1
    return 2 if tag == "1.4.0" else 3


def findings(tag: str) -> list[Finding]:
    """What the image of that tag has, the worst first."""
    number = generation(tag)
    if number is None:
        return []
    found = [
        Finding(one, _VERSIONS[one.package][number])
        for one in VULNERABILITIES
        if number <= one.until
    ]
    return sorted(found, key=lambda f: (-f.vulnerability.score, f.vulnerability.id))


def platform(tag: str) -> str:
    """The operating system of the image, in Inspector's words."""
    number = generation(tag)
    return "UNKNOWN" if number is None else PLATFORMS[number]
