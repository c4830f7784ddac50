"""File-system calls whose outcome must be the same on Linux and in the browser. Prints one JSON object."""

import errno
import json
import os
import shutil
import stat
import tempfile

outcomes = {}


def outcome(function):
    """Runs a function in an empty directory and notes what it gives or which errno it raises."""
    directory = tempfile.mkdtemp()
    before = os.getcwd()
    os.chdir(directory)
    os.umask(0o022)
    try:
        value = function()
    except OSError as error:
        value = errno.errorcode[error.errno]
    finally:
        os.chdir(before)
        shutil.rmtree(directory, ignore_errors=True)
    outcomes[function.__name__] = value
    return function


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path) as file:
        return file.read()


@outcome
def append_goes_to_the_end_wherever_the_position_is():
    write("a", "one")
    with open("a", "a+") as file:
        file.seek(0)
        file.write("two")
        file.seek(1)
        return file.read()


@outcome
def exclusive_creation_refuses_what_exists():
    write("a", "")
    open("a", "x")


@outcome
def opening_what_does_not_exist():
    open("nothing")


@outcome
def opening_a_directory_for_writing():
    os.mkdir("d")
    open("d", "w")


@outcome
def a_file_is_no_directory():
    write("a", "")
    open("a/b")


@outcome
def unlinked_files_live_while_open():
    write("a", "text")
    with open("a") as file:
        os.unlink("a")
        return [file.read(), os.path.exists("a"), os.fstat(file.fileno()).st_size]


@outcome
def replacing_an_open_file():
    write("a", "old")
    write("b", "new")
    with open("a") as file:
        os.replace("b", "a")
        return [file.read(), read("a"), sorted(os.listdir("."))]


@outcome
def renaming_a_directory_over_an_empty_one():
    os.makedirs("a/b")
    os.mkdir("c")
    os.rename("a", "c")
    return [os.listdir("."), os.listdir("c")]


@outcome
def renaming_a_directory_over_a_full_one():
    os.makedirs("a/b")
    os.makedirs("c/d")
    os.rename("a", "c")


@outcome
def renaming_a_file_over_a_directory():
    write("a", "")
    os.mkdir("d")
    os.rename("a", "d")


@outcome
def renaming_a_directory_over_a_file():
    os.mkdir("d")
    write("a", "")
    os.rename("d", "a")


@outcome
def renaming_a_directory_into_itself():
    os.makedirs("a/b")
    os.rename("a", "a/b/c")


@outcome
def removing_a_full_directory():
    os.makedirs("a/b")
    os.rmdir("a")


@outcome
def removing_a_file_as_a_directory():
    write("a", "")
    os.rmdir("a")


@outcome
def unlinking_a_directory_fails():
    os.mkdir("d")
    try:
        os.unlink("d")
    except OSError as error:
        # Linux says EISDIR, POSIX also allows EPERM.
        return error.errno in (errno.EISDIR, errno.EPERM)


@outcome
def sparse_writes_are_zeros():
    with open("a", "wb") as file:
        file.seek(5)
        file.write(b"x")
    with open("a", "rb") as file:
        return list(file.read())


@outcome
def truncation_cuts_and_extends():
    write("a", "abcdef")
    os.truncate("a", 3)
    short = read("a")
    os.truncate("a", 5)
    return [short, read("a"), os.stat("a").st_size]


@outcome
def opening_for_writing_truncates():
    write("a", "long text")
    write("a", "x")
    return read("a")


@outcome
def symbolic_links_are_followed():
    os.mkdir("d")
    write("d/a", "text")
    os.symlink("d/a", "link")
    os.symlink("d", "dirlink")
    return [
        read("link"),
        read("dirlink/a"),
        os.readlink("link"),
        os.path.islink("link"),
        stat.S_ISLNK(os.lstat("link").st_mode),
        stat.S_ISREG(os.stat("link").st_mode),
    ]


@outcome
def a_loop_of_links_ends():
    os.symlink("b", "a")
    os.symlink("a", "b")
    open("a")


@outcome
def dangling_links_do_not_exist():
    os.symlink("nothing", "a")
    return [os.path.exists("a"), os.path.lexists("a")]


@outcome
def permissions_are_kept():
    write("a", "")
    os.chmod("a", 0o640)
    os.mkdir("d", 0o700)
    return [oct(os.stat("a").st_mode), oct(os.stat("d").st_mode)]


@outcome
def times_are_kept():
    write("a", "")
    os.utime("a", (1000, 2000))
    return [os.stat("a").st_atime, os.stat("a").st_mtime]


@outcome
def writing_moves_the_time_on():
    write("a", "")
    os.utime("a", (1000, 1000))
    write("a", "text")
    return os.stat("a").st_mtime > 1_000_000


@outcome
def directories_are_scanned():
    for name in "cab":
        write(name, name)
    os.mkdir("d")
    with os.scandir(".") as entries:
        return sorted((entry.name, entry.is_dir(), entry.is_file()) for entry in entries)


@outcome
def trees_are_walked_and_removed():
    os.makedirs("a/b/c")
    write("a/x", "x")
    write("a/b/y", "y")
    found = sorted((path, sorted(directories), sorted(files)) for path, directories, files in os.walk("a"))
    shutil.rmtree("a")
    return [found, os.listdir(".")]


@outcome
def trees_are_copied():
    os.makedirs("a/b")
    write("a/b/x", "text")
    shutil.copytree("a", "c")
    shutil.move("c", "d")
    return [read("d/b/x"), sorted(os.listdir("."))]


@outcome
def duplicated_descriptors_share_their_position():
    write("a", "abcdef")
    first = os.open("a", os.O_RDONLY)
    second = os.dup(first)
    parts = [os.read(first, 2), os.read(second, 2)]
    os.close(first)
    parts.append(os.read(second, 2))
    os.close(second)
    return [part.decode() for part in parts]


@outcome
def reading_at_a_place_leaves_the_position():
    write("a", "abcdef")
    descriptor = os.open("a", os.O_RDWR)
    found = [os.pread(descriptor, 2, 3).decode(), os.read(descriptor, 2).decode()]
    os.pwrite(descriptor, b"Z", 0)
    os.close(descriptor)
    return [*found, read("a")]


@outcome
def a_closed_descriptor_is_bad():
    write("a", "")
    descriptor = os.open("a", os.O_RDONLY)
    os.close(descriptor)
    os.read(descriptor, 1)


@outcome
def memory_maps_read_and_write():
    import mmap

    write("a", "abcdef")
    with open("a", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        found = mapped[1:4].decode()
        mapped[0:1] = b"Z"
        mapped.flush()
    return [found, read("a")]


@outcome
def names_have_a_limit():
    open("x" * 256, "w")


@outcome
def names_may_be_any_unicode():
    write("päivä 🐍.txt", "ok")
    return [os.listdir("."), read("päivä 🐍.txt")]


@outcome
def temporary_files_disappear():
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("text")
        file.flush()
        name = file.name
        found = read(name)
    return [found, os.path.exists(name)]


@outcome
def seeking_before_the_beginning():
    write("a", "abc")
    descriptor = os.open("a", os.O_RDONLY)
    try:
        os.lseek(descriptor, -1, os.SEEK_SET)
    finally:
        os.close(descriptor)


print(json.dumps(outcomes))
