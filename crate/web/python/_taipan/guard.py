"""Whether code reckons with the failure of what it is just doing.

CPython keeps ``try`` statements in a table beside the bytecode (``InternalDocs/exception_handling.md``): a range of
instructions, and where to go on when one of them raises. What a handler catches can be read off its first instructions.
"""

from opcode import opmap

_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}

_CACHE, _EXTENDED_ARG, _IMPORT_NAME = opmap["CACHE"], opmap["EXTENDED_ARG"], opmap["IMPORT_NAME"]
_LOAD_NAME, _LOAD_GLOBAL = opmap["LOAD_NAME"], opmap["LOAD_GLOBAL"]
_PUSH_EXC_INFO, _CHECK_EXC_MATCH, _POP_EXCEPT = opmap["PUSH_EXC_INFO"], opmap["CHECK_EXC_MATCH"], opmap["POP_EXCEPT"]
_POP_JUMP_IF_FALSE, _POP_TOP, _NOP = opmap["POP_JUMP_IF_FALSE"], opmap["POP_TOP"], opmap["NOP"]
_RAISE_VARARGS, _RERAISE, _WITH_EXCEPT_START = opmap["RAISE_VARARGS"], opmap["RERAISE"], opmap["WITH_EXCEPT_START"]


def is_guarded(frame):
    """Whether the instruction that a frame is at stands in a ``try`` that takes an ``ImportError`` and goes on, or in
    ``with suppress(ImportError)``. A handler that raises another exception does not go on."""
    code = frame.f_code
    handlers = list(_handlers(code.co_exceptiontable))
    offset = frame.f_lasti
    while True:
        target = next((target for start, end, target in handlers if start <= offset < end), None)
        if target is None:
            return False
        if _goes_on(code, target):
            return True
        # The statement around it: a handler is covered by the handlers outside of it.
        offset = target


def imports_another(frame, name):
    """Whether a frame is at a statement that imports another module than ``name``, a part of it or a package it is in:
    then an extension module, which has no frame, imports it. Whether that reckons with a failure cannot be seen."""
    code, offset = frame.f_code, frame.f_lasti
    instructions = code.co_code
    if instructions[offset] != _IMPORT_NAME:
        return False
    argument, shift = instructions[offset + 1], 8
    while offset >= 2 and instructions[offset - 2] == _EXTENDED_ARG:
        offset -= 2
        argument |= instructions[offset + 1] << shift
        shift += 8
    statement = code.co_names[argument]
    parts, statement_parts = name.split("."), statement.split(".")
    return not (parts[: len(statement_parts)] == statement_parts or statement_parts[: len(parts)] == parts)


def _handlers(table):
    """First byte, end and handler of each range; the innermost comes first."""
    numbers, number = [], 0
    for byte in table:
        # Six bits a byte, the highest first; bit 6 says that more follow, bit 7 marks the first byte of an entry.
        number = number << 6 | byte & 0x3F
        if byte & 0x40:
            continue
        numbers.append(number)
        number = 0
        if len(numbers) == 4:
            start, length, target, _depth = numbers
            yield start * 2, (start + length) * 2, target * 2
            numbers = []


def _goes_on(code, offset):
    """Whether a handler takes an ``ImportError`` and the code goes on after it."""
    instructions = code.co_code
    names, argument, previous, is_caught = set(), 0, None, False
    while offset < len(instructions):
        operation, argument = instructions[offset], argument << 8 | instructions[offset + 1]
        offset += 2
        if operation == _EXTENDED_ARG:
            continue
        if is_caught:
            if operation in (_RAISE_VARARGS, _RERAISE):
                return False
            if operation == _POP_EXCEPT:
                return True
        elif operation == _LOAD_NAME:
            names.add(code.co_names[argument])
        elif operation == _LOAD_GLOBAL:
            names.add(code.co_names[argument >> 1])
        elif operation == _CHECK_EXC_MATCH:
            is_caught = not names.isdisjoint(_CATCHING)
            names.clear()
        elif operation == _POP_JUMP_IF_FALSE:
            # To the next `except`.
            while instructions[offset] == _CACHE:
                offset += 2
            offset += argument * 2
        elif operation == _POP_TOP and previous == _PUSH_EXC_INFO:
            # `except:`, which takes everything.
            is_caught = True
        elif operation == _WITH_EXCEPT_START:
            return "suppress" in code.co_names
        elif operation == _RERAISE:
            return False
        if operation not in (_CACHE, _NOP):
            previous = operation
        argument = 0
    return False
