#!/usr/bin/python3
"""A disk in memory that can lose its power, and that can fail: mounted with FUSE, for `prove:disk`.

    power-fs.py MOUNTPOINT --from DIR --into DIR [--cut-at N|end] [--fail-at N --errno E [--lasting]]
                [--names bare|journalled] [--keep SHARE --seed S]

It begins with what is in `--from`, all of it on the platter. A file's bytes reach the platter with an fsync of that
file. A name (of a file that was made, renamed, removed) reaches it with an fsync of its directory (`bare`, all that
POSIX promises), or with the next fsync of anything (`journalled`, as ext4 and XFS do it). Operations that change
something are counted from 1, fsync among them. The power goes with operation `--cut-at`: from then on nothing can be
written, and `--into` is given what is on the platter by then, with a `--keep` of 0 to 1 of what had not been flushed:
any sectors, any names (journalled: the first so many of them). `end`: it goes when the disk is taken away. Without a cut `--into` is given everything at the end.
From operation `--fail-at` the first that can is answered with `--errno`, `--lasting`: and all that come after it; those
of the run's commands are spared, for what they make of it is their own affair.
Every line on standard output is JSON: `ready`, `cut`, `failed`, and at the end `operations`, one letter for each.
"""
import argparse
import errno
import json
import os
import random
import stat
import sys
import time

try:
    from fusepy import FUSE, FuseOSError, Operations, fuse_get_context
except ImportError:
    from fuse import FUSE, FuseOSError, Operations, fuse_get_context

SECTOR = 512
BLOCK = 4096
BLOCKS = 1 << 20
# FUSE gives a file that is removed or replaced while it is open another name until it is closed. Nobody else sees it.
HIDDEN = ".fuse_hidden"
# What needs no room can be done on a full disk.
NEEDS_ROOM = {"write", "create", "mkdir", "symlink", "truncate", "rename", "link"}


class Node:
    def __init__(self, number, mode):
        now = time.time_ns()
        self.number, self.mode, self.links = number, mode, 1
        self.mtime = self.ctime = now


class File(Node):
    def __init__(self, number, mode, data=b""):
        super().__init__(number, stat.S_IFREG | mode)
        self.data = bytearray(data)
        self.flushed = bytes(data)
        # Sectors that are not on the platter, and whether the length that is there is another.
        self.dirty, self.resized = set(), False


class Directory(Node):
    def __init__(self, number, mode):
        super().__init__(number, stat.S_IFDIR | mode)
        self.entries, self.flushed = {}, {}


class Symlink(Node):
    def __init__(self, number, target):
        super().__init__(number, stat.S_IFLNK | 0o777)
        self.target = target


def kind_of(path):
    """One letter: what an operation is about."""
    if "/ccp/spool/" in path:
        return "s"
    if "/ccp.db" in path or "/ccp/locks/" in path:
        return "j"
    if "/results/" in path or path.endswith("/results"):
        return "r"
    if "/.git/" in path:
        return "g"
    return "w" if "/worktrees/" in path else "o"


def is_command(process):
    """True for a command of the pipeline or of a model: nobody but itself knows what a failed write means to it."""
    try:
        with open(f"/proc/{process}/environ", "rb") as opened:
            return b"\0CCP_CALL=" in b"\0" + opened.read()
    except OSError:
        return False


def tell(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


class PowerDisk(Operations):
    use_ns = True
    flag_nullpath_ok = True
    # The module cannot do it for a file without a name, and there is nothing to control.
    ioctl = None

    def __init__(self, options):
        self.options = options
        self.chance = random.Random(options.seed)
        self.numbers = 0
        self.root = self.load(options.source)
        self.opened, self.handles = {}, 0
        # Changes of names that are not on the platter: each a list of (directory, name, node or None).
        self.pending = []
        # By the path of their hidden name; and the place and node of the last, until the next change.
        self.hidden, self.last_hidden = {}, None
        self.operations = []
        self.is_cut = self.has_failed = False

    # What is there at the beginning, and what is left at the end.

    def number(self):
        self.numbers += 1
        return self.numbers

    def load(self, path):
        facts = os.lstat(path)
        if stat.S_ISLNK(facts.st_mode):
            node = Symlink(self.number(), os.readlink(path))
        elif stat.S_ISDIR(facts.st_mode):
            node = Directory(self.number(), stat.S_IMODE(facts.st_mode))
            for name in os.listdir(path):
                node.entries[name] = self.load(os.path.join(path, name))
            node.flushed = dict(node.entries)
        else:
            with open(path, "rb") as opened:
                node = File(self.number(), stat.S_IMODE(facts.st_mode), opened.read())
        node.mtime = facts.st_mtime_ns
        return node

    def save(self, node, path, is_everything):
        if isinstance(node, Symlink):
            os.symlink(node.target, path)
            return
        if isinstance(node, Directory):
            os.mkdir(path)
            names = node.entries if is_everything else node.flushed
            for name, child in names.items():
                self.save(child, os.path.join(path, name), is_everything)
        else:
            with open(path, "wb") as opened:
                opened.write(node.data if is_everything else self.what_is_left_of(node))
        os.chmod(path, stat.S_IMODE(node.mode))
        os.utime(path, ns=(node.mtime, node.mtime))

    def what_is_left_of(self, file):
        left = bytearray(file.flushed)
        keep = self.options.keep
        if keep == 0:
            return left
        if file.resized and self.chance.random() < keep:
            size = len(file.data)
            left = left[:size] + bytes(max(0, size - len(left)))
        for sector in sorted(file.dirty):
            if self.chance.random() >= keep:
                continue
            at = sector * SECTOR
            piece = file.data[at:at + SECTOR]
            if len(left) < at:
                left.extend(bytes(at - len(left)))
            left[at:at + len(piece)] = piece
        return left

    def cut(self, name, path):
        self.is_cut = True
        keep = self.options.keep
        if self.options.names == "journalled":
            self.apply(self.pending[:int(len(self.pending) * keep)])
        else:
            self.apply([change for change in self.pending if self.chance.random() < keep])
        self.save(self.root, self.options.target, False)
        tell(event="cut", operation=len(self.operations), name=name, path=path)

    def finish(self):
        if self.options.cut_at == "end":
            self.cut("nothing", "the end")
        elif not self.is_cut:
            self.save(self.root, self.options.target, True)
        tell(event="end", operations="".join(self.operations))

    # Names.

    def find(self, path):
        if path in self.hidden:
            return self.hidden[path]
        node = self.root
        for name in path.split("/"):
            if name == "":
                continue
            if not isinstance(node, Directory):
                raise FuseOSError(errno.ENOTDIR)
            if name not in node.entries:
                raise FuseOSError(errno.ENOENT)
            node = node.entries[name]
        return node

    def place(self, path):
        above, name = os.path.split(path)
        directory = self.find(above)
        if not isinstance(directory, Directory):
            raise FuseOSError(errno.ENOTDIR)
        return directory, name

    def change(self, *changes):
        for directory, name, node in changes:
            if node is None:
                directory.entries.pop(name, None)
            else:
                directory.entries[name] = node
            directory.mtime = directory.ctime = time.time_ns()
        self.pending.append(changes)

    def apply(self, pending):
        for changes in pending:
            for directory, name, node in changes:
                if node is None:
                    directory.flushed.pop(name, None)
                else:
                    directory.flushed[name] = node

    def flush_names(self, directory):
        """Null: the directories of all names."""
        is_everything = directory is None or self.options.names == "journalled"
        now, later = [], []
        for changes in self.pending:
            is_of = is_everything or any(at is directory for at, _, _ in changes)
            (now if is_of else later).append(changes)
        self.apply(now)
        self.pending = later

    # Every operation that changes something comes through here first.

    def before(self, name, path):
        self.last_hidden = None
        if self.is_cut:
            raise FuseOSError(errno.EIO)
        self.operations.append(kind_of(path or ""))
        count = len(self.operations)
        options = self.options
        if options.cut_at == count:
            self.cut(name, path)
            raise FuseOSError(errno.EIO)
        if options.fail_at is None or count < options.fail_at or (self.has_failed and not options.lasting):
            return
        if (options.errno == errno.ENOSPC and name not in NEEDS_ROOM) or is_command(fuse_get_context()[2]):
            return
        self.has_failed = True
        tell(event="failed", operation=count, name=name, path=path)
        raise FuseOSError(options.errno)

    # What FUSE asks for.

    def getattr(self, path, fh=None):
        node = self.opened[fh][0] if fh in self.opened else self.find(path)
        size = self.size_of(node)
        return dict(st_mode=node.mode, st_nlink=node.links, st_size=size, st_ino=node.number, st_uid=os.getuid(),
                    st_gid=os.getgid(), st_mtime=node.mtime, st_ctime=node.ctime, st_atime=node.mtime,
                    st_blocks=(size + SECTOR - 1) // SECTOR)

    def size_of(self, node):
        if isinstance(node, Symlink):
            return len(os.fsencode(node.target))
        return len(node.data) if isinstance(node, File) else BLOCK

    def readdir(self, path, fh):
        return [".", "..", *self.opened[fh][0].entries]

    def readlink(self, path):
        return self.find(path).target

    def statfs(self, path):
        return dict(f_bsize=BLOCK, f_frsize=BLOCK, f_blocks=BLOCKS, f_bavail=BLOCKS, f_bfree=BLOCKS, f_files=BLOCKS,
                    f_ffree=BLOCKS, f_favail=BLOCKS, f_namemax=255)

    def hold(self, node, path):
        self.handles += 1
        self.opened[self.handles] = (node, path)
        return self.handles

    def open(self, path, flags):
        if self.options.errno == errno.EROFS and flags & (os.O_WRONLY | os.O_RDWR):
            self.before("open", path)
        return self.hold(self.find(path), path)

    def opendir(self, path):
        return self.hold(self.find(path), path)

    def release(self, path, fh):
        self.opened.pop(fh, None)
        return 0

    releasedir = release

    def flush(self, path, fh):
        return 0

    def create(self, path, mode, fi=None):
        directory, name = self.place(path)
        self.before("create", path)
        node = File(self.number(), stat.S_IMODE(mode))
        self.change((directory, name, node))
        return self.hold(node, path)

    def mkdir(self, path, mode):
        directory, name = self.place(path)
        self.before("mkdir", path)
        self.change((directory, name, Directory(self.number(), stat.S_IMODE(mode))))

    def symlink(self, target, source):
        directory, name = self.place(target)
        self.before("symlink", target)
        self.change((directory, name, Symlink(self.number(), source)))

    def link(self, target, source):
        directory, name = self.place(target)
        node = self.find(source)
        self.before("link", target)
        node.links += 1
        self.change((directory, name, node))

    def unlink(self, path):
        if self.hidden.pop(path, None):
            return
        directory, name = self.place(path)
        node = self.find(path)
        self.before("unlink", path)
        node.links -= 1
        self.change((directory, name, None))

    def rmdir(self, path):
        directory, name = self.place(path)
        if self.find(path).entries:
            raise FuseOSError(errno.ENOTEMPTY)
        self.before("rmdir", path)
        self.change((directory, name, None))

    def rename(self, old, new):
        (source, source_name), (target, target_name) = self.place(old), self.place(new)
        node = self.find(old)
        if target_name.startswith(HIDDEN):
            self.unlink(old)
            self.hidden[new] = node
            self.last_hidden = (target, source_name, node)
            return
        if self.last_hidden and self.last_hidden[:2] == (target, target_name):
            # It was hidden to be replaced. A name that another file is renamed to is never missing in between.
            self.pending.pop()
            target.entries[target_name] = self.last_hidden[2]
        replaced = target.entries.get(target_name)
        if isinstance(replaced, Directory) and replaced.entries:
            raise FuseOSError(errno.ENOTEMPTY)
        self.before("rename", new)
        if replaced is not None:
            replaced.links -= 1
        # One change: on no disk is a file that is renamed under both names, or under none.
        self.change((source, source_name, None), (target, target_name, node))

    def read(self, path, size, offset, fh):
        return bytes(self.opened[fh][0].data[offset:offset + size])

    def write(self, path, data, offset, fh):
        file, name = self.opened[fh]
        self.before("write", path or name)
        if len(file.data) < offset:
            file.data.extend(bytes(offset - len(file.data)))
        file.data[offset:offset + len(data)] = data
        file.dirty.update(range(offset // SECTOR, (offset + len(data) - 1) // SECTOR + 1))
        file.mtime = file.ctime = time.time_ns()
        return len(data)

    def truncate(self, path, length, fh=None):
        file = self.opened[fh][0] if fh in self.opened else self.find(path)
        self.before("truncate", path or self.opened[fh][1])
        if len(file.data) > length:
            del file.data[length:]
            file.dirty = {sector for sector in file.dirty if sector * SECTOR < length}
        else:
            file.data.extend(bytes(length - len(file.data)))
        file.resized = True
        file.mtime = file.ctime = time.time_ns()

    def fsync(self, path, datasync, fh):
        file, name = self.opened[fh]
        self.before("fsync", path or name)
        file.flushed = bytes(file.data)
        file.dirty, file.resized = set(), False
        if self.options.names == "journalled":
            self.flush_names(None)

    def fsyncdir(self, path, datasync, fh):
        directory, name = self.opened[fh]
        self.before("fsync", path or name)
        self.flush_names(directory)

    def chmod(self, path, mode):
        node = self.find(path)
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
        node.ctime = time.time_ns()

    def chown(self, path, uid, gid):
        return 0

    def utimens(self, path, times=None):
        node = self.find(path)
        node.mtime = times[1] if times else time.time_ns()
        node.ctime = time.time_ns()

    def init(self, path):
        tell(event="ready")

    def destroy(self, path):
        self.finish()


def options_of(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("mountpoint")
    parser.add_argument("--from", dest="source", required=True)
    parser.add_argument("--into", dest="target", required=True)
    parser.add_argument("--cut-at", type=lambda when: when if when == "end" else int(when))
    parser.add_argument("--fail-at", type=int)
    parser.add_argument("--errno", type=lambda name: getattr(errno, name))
    parser.add_argument("--lasting", action="store_true")
    parser.add_argument("--names", choices=["bare", "journalled"], default="bare")
    parser.add_argument("--keep", type=float, default=0)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


if __name__ == "__main__":
    given = options_of(sys.argv[1:])
    FUSE(PowerDisk(given), given.mountpoint, foreground=True, nothreads=True, default_permissions=True)
