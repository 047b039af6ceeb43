import assert from "node:assert/strict";
import test from "node:test";
import { needsRoot } from "../../article/brig.js";
import { runOurs, runReal } from "./private-host.js";

/** `try WORDS…`: the words, what they print, and the status. */
const TRY = 'try() { echo "--- $*"; machinectl "$@"; echo "status $?"; }\n';

const IMAGES = `${TRY}
try list-images
mkdir -p /var/lib/machines/deb/etc /var/lib/machines/b.raw.x /var/lib/machines/.hidden
printf 'ID=debian\\nVERSION_ID="12"\\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\\n' >/var/lib/machines/deb/etc/os-release
echo my-deb >/var/lib/machines/deb/etc/hostname
truncate -s 5M /var/lib/machines/r.raw
try list-images
try --no-legend list-images
try image-status deb r
try image-status
try image-status nope
try show-image deb r
try show-image r -p Name -p Type
try show-image deb -p ModificationTimestamp --value
try clone deb deb2
try clone deb deb2
try clone nope deb3
try clone deb ../x
try rename deb2 deb3
try rename deb2 deb3
try rename deb3 deb
try read-only deb3
try --no-legend list-images
try rename deb3 deb4
try read-only deb4 maybe
try set-limit deb4 10M
try set-limit 10M
try set-limit deb4 much
try remove deb4
try remove deb4
try clean
`;

test("the verbs for images print and answer what machinectl does", (t) => {
  if (needsRoot(t)) return;
  const real = runReal(t, IMAGES);
  if (real === undefined) return;
  assert.equal(normalise(runOurs(IMAGES)), normalise(real));
});

const TRANSFERS = `${TRY}
mkdir -p d/usr/bin d/etc; echo hello >d/usr/x; chown 5:6 d/usr/x; ln d/usr/x d/usr/y; chmod 4755 d/usr/x
tar -C d -cf d.tar .; gzip -k d.tar; xz -k d.tar; truncate -s 1M i.raw; echo end >>i.raw
try -q import-tar d.tar.gz
try -q import-tar d.tar.gz --force
try -q import-tar d.tar.xz d2 --read-only
try -q import-raw i.raw
try -q import-fs d fs1
try --no-legend list-images
(cd /var/lib/machines; find . -printf '%p %m %U %G %n %s\\n' | grep -v '#' | sort; cmp i.raw /mnt/work/i.raw)
try -q export-tar d o.tar.xz
tar --numeric-owner -tvf o.tar.xz | awk '{print $1,$2,$3,$6}' | sort
try -q export-tar d o.tar.foo --format=gzip
try -q export-raw i o.raw.gz
gzip -dc o.raw.gz | cmp - i.raw; xz -t o.tar.xz; gzip -t o.tar.foo
machinectl -q export-tar fs1 - >fs1.tar; tar -tf fs1.tar | sort
try read-only d2 no
`;

test("images go in and out as with machinectl", (t) => {
  if (needsRoot(t)) return;
  const real = runReal(t, TRANSFERS);
  if (real === undefined) return;
  assert.equal(normalise(runOurs(TRANSFERS)), normalise(real));
});

test("what an archive tries against the host stays in the image", (t) => {
  if (needsRoot(t)) return;
  const printed = runOurs(`
mkdir -p d/etc; echo mine >d/etc/own; ln -s /mnt/work/outside d/link; mknod d/null c 1 3
tar -C d -cf one.tar etc link
mkdir e; mkdir e/link; echo evil >e/link/file; tar -C e -rf one.tar link/file
tar -rf one.tar -P --transform 's,.*,../../../../mnt/work/climbed,' d/etc/own
mkdir outside
machinectl -q import-tar one.tar hostile; echo "status $?"
ls -A outside climbed /mnt/climbed /var/lib/climbed /climbed 2>/dev/null
ls -A /var/lib/machines
tar -C d -cf dev.tar etc null
machinectl -q import-tar dev.tar nodes; echo "status $?"
echo no archive | machinectl -q import-tar - text; echo "status $?"
: | machinectl -q import-tar - empty; echo "status $?"
tar -C d -c etc | gzip | machinectl -q import-tar - piped; echo "status $?"; ls -A /var/lib/machines; cat /var/lib/machines/piped/etc/own
mkdir -p f/top/usr f/top/etc; tar -C f -cf top.tar top; machinectl -q import-tar top.tar; ls /var/lib/machines/top
`);
  assert.doesNotMatch(printed, /climbed\n|^file$/m);
  assert.match(printed, /Cannot mknod: Operation not permitted/);
  assert.match(printed, /piped\nmine\netc\nusr\n$/);
  assert.doesNotMatch(printed, /^(nodes|text|empty)$/m);
});

test("an import that is killed leaves no image, and the next command what it had written", (t) => {
  if (needsRoot(t)) return;
  const printed = runOurs(`
mkdir d; head -c 50M /dev/zero >d/zeros; mkdir d/etc; tar -cf - d >d.tar; mkfifo slow; (head -c 20M d.tar; sleep 20) >slow &
machinectl -q import-tar slow big &
for i in $(seq 200); do machinectl list-transfers --no-legend | grep -q big && break; sleep 0.05; done
machinectl list-transfers --no-legend | grep -c big; ls -A /var/lib/machines | grep -c '^.#brig-big'
kill -9 $(machinectl list-transfers --no-legend | cut -d' ' -f1); wait %2; machinectl list-images
tar -cf small.tar d/etc; machinectl -q import-tar small.tar; ls -A /var/lib/machines
`);
  assert.match(printed, /^1\n1\n(?:[^\n]*Killed[^\n]*\n)?No images\.\nsmall\n$/);
});

test("an ordinary user has images too, with owners of the user's own ids", (t) => {
  if (needsRoot(t)) return;
  const printed = runOurs(`
printf 'brigimages:x:61777:61777::/mnt/home:/bin/sh\\n' >/mnt/passwd; cat /etc/passwd >>/mnt/passwd; mount --bind /mnt/passwd /etc/passwd
printf 'brigimages:500000:65536\\n' >/mnt/sub; mount --bind /mnt/sub /etc/subuid; mount --bind /mnt/sub /etc/subgid
mkdir -p /mnt/home d/etc; chown 61777:61777 /mnt/home; chmod 755 /mnt /mnt/work; echo x >d/etc/own; chown 33:33 d/etc/own; tar --numeric-owner -C d -cf d.tar .
as() { setpriv --reuid 61777 --regid 61777 --clear-groups env -i HOME=/mnt/home PATH=$PATH brig machinectl "$@"; }
as -q import-tar d.tar mine; as --no-legend list-images | cut -d' ' -f1,2; find /mnt/home -name own -printf '%U %G\\n'
as clone mine other; as remove mine; as --no-legend list-images | cut -d' ' -f1,2; as remove other; as list-images; ls -A /mnt/home/.local/share/brig/machines; machinectl list-images
`);
  assert.equal(printed, "mine directory\n500032 500032\nother directory\nNo images.\nNo images.\n");
});

/** Without times, hints (brig's own), what importd says on the way, and the blocks of files that tools write differently. */
function normalise(text: string): string {
  return text
    .split("\n")
    .filter((line) => !/^ {2}hint: |^\(transfer|^Got |^Transfer process|^Importing |^Exporting |^Pulling |^Enqueued |^Imported |^Exported |^Operation completed|^Exiting|^Wrote /.test(line))
    .map((line) => line.replaceAll(/[A-Z][a-z]{2} \d{4}-\d\d-\d\d [\d:]{8} UTC/g, "TIME").replace(/; .* ago$/, "; ago"))
    .map((line) => line.replace(/^(i +raw +\S+) +\S+/, "$1 SIZE"))
    .join("\n");
}
