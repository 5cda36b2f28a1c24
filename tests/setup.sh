#!/bin/bash
# Installs with apt-get what the tests need and this machine lacks; says one line when nothing is missing.
#
# The tests start their own servers from these programs, on free ports in a temporary directory. The services that
# Debian's packages would start on installation are neither started now nor enabled for the next boot.
set -euo pipefail

# What is looked for, and the package that brings it.
needs='
/usr/bin/cc                                         gcc
/usr/bin/c++                                        g++
/usr/include/stdio.h                                libc6-dev
/usr/lib/dovecot/imap                               dovecot-imapd
/usr/lib/dovecot/lmtp                               dovecot-lmtpd
/usr/sbin/exim4                                     exim4-daemon-light
/usr/lib/postgresql/15/bin/initdb                   postgresql-15
/usr/bin/pdftotext                                  poppler-utils
/usr/bin/tesseract                                  tesseract-ocr
/usr/share/tesseract-ocr/5/tessdata/nld.traineddata tesseract-ocr-nld
/usr/share/tesseract-ocr/5/tessdata/dan.traineddata tesseract-ocr-dan
/usr/share/tesseract-ocr/5/tessdata/nor.traineddata tesseract-ocr-nor
/usr/share/tesseract-ocr/5/tessdata/swe.traineddata tesseract-ocr-swe
/usr/share/tesseract-ocr/5/tessdata/fin.traineddata tesseract-ocr-fin
/usr/share/tesseract-ocr/5/tessdata/deu.traineddata tesseract-ocr-deu
/usr/bin/openssl                                    openssl
/usr/bin/systemd-analyze                            systemd
'

missing=()
while read -r file package; do
    [[ -z $file || -e $file ]] || missing+=("$package")
done <<<"$needs"

if [[ ${#missing[@]} -eq 0 ]]; then
    echo "Everything that the tests need is installed."
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "The tests need these Debian packages, and this machine has no apt-get to install them: ${missing[*]}" >&2
    exit 1
fi
if [[ $EUID -ne 0 ]]; then
    echo "The tests need these packages, which only root can install: ${missing[*]}" >&2
    echo "Run 'sudo tests/setup.sh' once, then 'make test' again." >&2
    exit 1
fi

# While this file exists, no package starts a service (invoke-rc.d(8)). One that the administrator wrote stays.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

echo "Installing what the tests need: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt_get=(apt-get -qq -o DPkg::Lock::Timeout=300)
"${apt_get[@]}" update
# --no-remove: a mail server that is already here is not thrown out for ours.
if ! "${apt_get[@]}" install -y --no-install-recommends --no-remove "${missing[@]}" >/dev/null; then
    echo "apt-get could not install: ${missing[*]}" >&2
    echo "If another mail server is installed on this machine, run the tests on one without." >&2
    exit 1
fi

if command -v systemctl >/dev/null; then
    for pair in dovecot-imapd:dovecot exim4-daemon-light:exim4 postgresql-15:postgresql; do
        if [[ " ${missing[*]} " == *" ${pair%%:*} "* ]]; then
            systemctl --quiet disable "${pair##*:}.service" 2>/dev/null || true
        fi
    done
fi
