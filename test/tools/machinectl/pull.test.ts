import assert from "node:assert/strict";
import test from "node:test";
import { needsRoot, run } from "../../article/brig.js";
import { runOurs } from "./private-host.js";

/** A web server in a network namespace of its own, and keys in a home of their own. */
const SERVE = `mkdir -p site tree/etc tree/usr; echo pulled >tree/etc/own; tar -C tree -czf site/os.tar.gz .; truncate -s 64K site/disk.raw; echo x >>site/disk.raw
(cd site; sha256sum os.tar.gz disk.raw >SHA256SUMS)
mount -t tmpfs own /etc/systemd; export GNUPGHOME=/mnt/keys; mkdir -m 700 /mnt/keys
ip link set lo up; busybox httpd -p 127.0.0.1:80 -h site; U=http://127.0.0.1
try() { machinectl -q "$@"; echo "status $?"; }
`;

function pull(script: string): string {
  return runOurs(`cat >script <<'end-of-script'\n${SERVE}${script}\nend-of-script\nexport -f machinectl; exec unshare --net bash script`);
}

test("an image is pulled when its checksum is right, and only then", (t) => {
  if (needsRoot(t)) return;
  const printed = pull(`
try pull-tar $U/os.tar.gz --verify=checksum; cat /var/lib/machines/os/etc/own
try pull-raw $U/disk.raw disk --verify=checksum; cmp site/disk.raw /var/lib/machines/disk.raw
try pull-tar $U/os.tar.gz --verify=checksum
echo "$(head -c 64 /dev/zero | tr '\\0' a)  os.tar.gz" >site/os.tar.gz.sha256; try pull-tar $U/os.tar.gz bad --verify=checksum
rm site/os.tar.gz.sha256 site/SHA256SUMS; try pull-tar $U/os.tar.gz bad --verify=checksum; try pull-tar $U/none.tar bad --verify=no
try pull-tar ftp://x/os.tar bad; try pull-tar $U/os.tar.gz ../bad --verify=no; try pull-tar $U/os.tar.gz anyway --verify=no
ls -A /var/lib/machines | tr '\\n' ' '`);
  const answers = printed.split("\n").filter((line) => !line.startsWith("  hint:"));
  assert.deepEqual(answers, [
    "status 0", "pulled", "status 0", "Image 'os' already exists.", "status 1", "DOWNLOAD INVALID: Checksum of the downloaded file did not checksum", "status 1",
    "Failed to retrieve SHA256 checksum, cannot verify.", "status 1", "HTTP request to http://127.0.0.1/none.tar failed with code 404.", "status 1",
    "URL 'ftp://x/os.tar' is not valid.", "status 1", "Local name ../bad is not a suitable machine name.", "status 1", "status 0", "anyway disk.raw os ",
  ]);
});

test("without another word the checksums have to be signed by a key of the host's", (t) => {
  if (needsRoot(t)) return;
  if (run("sh", ["-c", "command -v gpg gpgv"]).status !== 0) return t.skip("gpg is not installed");
  const printed = pull(`
gpg --batch --quiet --passphrase '' --quick-gen-key good@example.org; gpg --batch --quiet --passphrase '' --quick-gen-key evil@example.org
try pull-tar $U/os.tar.gz
gpg --export good@example.org >/etc/systemd/import-pubring.gpg; try pull-tar $U/os.tar.gz
gpg --batch --quiet --local-user evil@example.org --detach-sign -o site/SHA256SUMS.gpg site/SHA256SUMS; try pull-tar $U/os.tar.gz
gpg --batch --quiet --yes --local-user good@example.org --detach-sign -o site/SHA256SUMS.gpg site/SHA256SUMS; try pull-tar $U/os.tar.gz
(cd site; sha256sum disk.raw >sum; gpg --batch --quiet --local-user good@example.org --clear-sign -o disk.raw.sha256 sum); try pull-raw $U/disk.raw
echo y >>site/SHA256SUMS; try pull-tar $U/os.tar.gz altered; ls -A /var/lib/machines | tr '\\n' ' '; gpgconf --kill all`);
  const answers = printed.split("\n").filter((line) => /^status|^there is|^DOWNLOAD|^\S+ \S+ $/.test(line));
  // Debian's systemd-container brings a keyring of its own
  assert.match(answers.shift()!, /^there is no keyring|^DOWNLOAD INVALID: Signature/);
  assert.deepEqual(answers, [
    "status 1", "DOWNLOAD INVALID: Signature verification failed.", "status 1", "DOWNLOAD INVALID: Signature verification failed.", "status 1",
    "status 0", "status 0", "DOWNLOAD INVALID: Signature verification failed.", "status 1", "disk.raw os ",
  ]);
});
