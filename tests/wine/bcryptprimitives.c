/* Wine 8 lacks bcryptprimitives.dll, which Rust's standard library takes its random numbers from. This one never ships. It
   also stands in for what Wine's console does otherwise than that of Windows. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    return SystemFunction036(buffer, (ULONG)length);
}

/* Wine 8 draws sequences instead of obeying them. The terminal that Wine runs in obeys them, so it gets them. */
static HANDLE terminal = INVALID_HANDLE_VALUE;

static BOOL WINAPI write_console(HANDLE console, const void *text, DWORD length, DWORD *written, void *reserved)
{
    static char bytes[3 * 65536];
    DWORD mode, sent;
    if (terminal == INVALID_HANDLE_VALUE || length > 65536 || !GetConsoleMode(console, &mode)
        || !(mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING))
        return WriteConsoleW(console, text, length, written, reserved);
    if (written)
        *written = length;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, (int)length, bytes, sizeof bytes, NULL, NULL);
    return size == 0 || WriteFile(terminal, bytes, (DWORD)size, &sent, NULL);
}

/* A console that knows no sequences, as "Use legacy console" makes it. */
static BOOL WINAPI set_console_mode(HANDLE console, DWORD mode)
{
    DWORD before;
    /* The bit has another meaning for input, where it is that of the echo. */
    if (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING && GetConsoleMode(console, &before)
        && !GetNumberOfConsoleInputEvents(console, &before)) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    return SetConsoleMode(console, mode);
}

static void replace(BYTE *base, void *from, void *to)
{
    IMAGE_NT_HEADERS *headers = (IMAGE_NT_HEADERS *)(base + ((IMAGE_DOS_HEADER *)base)->e_lfanew);
    DWORD at = headers->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT].VirtualAddress, old;
    for (IMAGE_IMPORT_DESCRIPTOR *library = (void *)(base + at); library->Name; library++)
        for (void **slot = (void **)(base + library->FirstThunk); *slot; slot++)
            if (*slot == from && VirtualProtect(slot, sizeof *slot, PAGE_READWRITE, &old))
                *slot = to;
}

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, void *reserved)
{
    (void)self, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        WCHAR path[64];
        if (GetEnvironmentVariableW(L"TERMINAL_DEVICE", path, 64))
            terminal = CreateFileW(path, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
                                   NULL);
        BYTE *program = (BYTE *)GetModuleHandleW(NULL);
        HMODULE kernel = GetModuleHandleW(L"kernel32");
        replace(program, (void *)GetProcAddress(kernel, "WriteConsoleW"), (void *)write_console);
        if (GetEnvironmentVariableW(L"LEGACY_CONSOLE", path, 64))
            replace(program, (void *)GetProcAddress(kernel, "SetConsoleMode"), (void *)set_console_mode);
    }
    return TRUE;
}
