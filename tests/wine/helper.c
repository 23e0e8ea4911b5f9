/* Does in Wine what a test can't do from outside. It prints UTF-8 to standard output, and ends with 0 if all went well.

   helper paste PROGRAM TEXT   writes TEXT to the console of the running PROGRAM, as the console of Windows pastes it on a
                               keyboard that has letters, digits and the space only
   helper formats              prints the names of the formats on the clipboard that have one, a line for each
   helper text                 prints the text on the clipboard
   helper copy TEXT            puts a text on the clipboard */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>
#include <tlhelp32.h>

static int fail(const char *what)
{
    fprintf(stderr, "helper: %s failed with %lu\n", what, GetLastError());
    return 1;
}

static DWORD running(const WCHAR *program)
{
    PROCESSENTRY32W entry = {.dwSize = sizeof entry};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD found = 0;
    for (BOOL more = Process32FirstW(all, &entry); more; more = Process32NextW(all, &entry))
        if (!lstrcmpiW(entry.szExeFile, program))
            found = entry.th32ProcessID;
    CloseHandle(all);
    return found;
}

static HANDLE console;

static BOOL key(BOOL down, WORD code, WCHAR character, DWORD state)
{
    INPUT_RECORD record = {.EventType = KEY_EVENT};
    DWORD written;
    record.Event.KeyEvent.bKeyDown = down;
    record.Event.KeyEvent.wRepeatCount = 1;
    record.Event.KeyEvent.wVirtualKeyCode = code;
    record.Event.KeyEvent.wVirtualScanCode = (WORD)MapVirtualKeyW(code, MAPVK_VK_TO_VSC);
    record.Event.KeyEvent.uChar.UnicodeChar = character;
    record.Event.KeyEvent.dwControlKeyState = state;
    return WriteConsoleInputW(console, &record, 1, &written) && written == 1;
}

/* The console sends Shift as a key of its own around a capital letter, and the same character with the release. */
static BOOL on_keyboard(WCHAR character)
{
    BOOL capital = character >= L'A' && character <= L'Z';
    DWORD state = capital ? SHIFT_PRESSED : 0;
    WORD code = character >= L'a' && character <= L'z' ? (WORD)(character - L'a' + L'A') : character;
    BOOL done = !capital || key(TRUE, VK_SHIFT, 0, SHIFT_PRESSED);
    done = done && key(TRUE, code, character, state) && key(FALSE, code, character, state);
    return done && (!capital || key(FALSE, VK_SHIFT, 0, 0));
}

/* Alt is pressed, the code of the character is typed on the keypad if the code page has one, and Alt is released. */
static BOOL as_alt_code(WCHAR character)
{
    char byte[8], digits[8] = "";
    BOOL lost = FALSE;
    int bytes = WideCharToMultiByte(437, WC_NO_BEST_FIT_CHARS, &character, 1, byte, sizeof byte, NULL, &lost);
    if (bytes == 1 && !lost)
        snprintf(digits, sizeof digits, "%u", (unsigned)(unsigned char)byte[0]);
    BOOL done = key(TRUE, VK_MENU, 0, LEFT_ALT_PRESSED);
    for (char *digit = digits; done && *digit; digit++) {
        WORD code = (WORD)(VK_NUMPAD0 + *digit - '0');
        done = key(TRUE, code, 0, LEFT_ALT_PRESSED) && key(FALSE, code, 0, LEFT_ALT_PRESSED);
    }
    return done && key(FALSE, VK_MENU, character, 0);
}

static int paste(const WCHAR *program, const WCHAR *text)
{
    DWORD id = running(program);
    if (!id) {
        fprintf(stderr, "helper: the program is not running\n");
        return 1;
    }
    FreeConsole();
    if (!AttachConsole(id))
        return fail("AttachConsole");
    console = CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                          OPEN_EXISTING, 0, NULL);
    if (console == INVALID_HANDLE_VALUE)
        return fail("CONIN$");
    for (; *text; text++) {
        BOOL plain = (*text >= L'a' && *text <= L'z') || (*text >= L'A' && *text <= L'Z')
            || (*text >= L'0' && *text <= L'9') || *text == L' ';
        if (!(plain ? on_keyboard(*text) : as_alt_code(*text)))
            return fail("WriteConsoleInputW");
    }
    return 0;
}

static void print(const WCHAR *text)
{
    char bytes[4096];
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, bytes, sizeof bytes, NULL, NULL);
    if (size)
        printf("%s\n", bytes);
}

static int formats(void)
{
    WCHAR name[256];
    for (UINT format = EnumClipboardFormats(0); format; format = EnumClipboardFormats(format))
        if (GetClipboardFormatNameW(format, name, 256))
            print(name);
    return 0;
}

static int text(void)
{
    HANDLE data = GetClipboardData(CF_UNICODETEXT);
    WCHAR *found = data ? GlobalLock(data) : NULL;
    if (found) {
        print(found);
        GlobalUnlock(data);
    }
    return 0;
}

static int copy(const WCHAR *words)
{
    SIZE_T size = (wcslen(words) + 1) * sizeof *words;
    HGLOBAL data = GlobalAlloc(GMEM_MOVEABLE, size);
    memcpy(GlobalLock(data), words, size);
    GlobalUnlock(data);
    if (!EmptyClipboard() || !SetClipboardData(CF_UNICODETEXT, data))
        return fail("SetClipboardData");
    return 0;
}

int wmain(int count, WCHAR **arguments)
{
    if (count == 4 && !lstrcmpW(arguments[1], L"paste"))
        return paste(arguments[2], arguments[3]);
    if (count < 2 || !OpenClipboard(NULL))
        return fail("OpenClipboard");
    int outcome = 1;
    if (!lstrcmpW(arguments[1], L"formats"))
        outcome = formats();
    else if (!lstrcmpW(arguments[1], L"text"))
        outcome = text();
    else if (count == 3 && !lstrcmpW(arguments[1], L"copy"))
        outcome = copy(arguments[2]);
    CloseClipboard();
    return outcome;
}
