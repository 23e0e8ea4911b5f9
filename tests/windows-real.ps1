<#
.SYNOPSIS
Checks on a real Windows what can't be tested elsewhere, and writes one report. It takes about ten minutes.

.DESCRIPTION
THIS SCRIPT HAS NOT BEEN RUN YET. It was written on a system without Windows and without PowerShell: its syntax was checked and it
was read, and that is all. Expect mistakes in the script itself. A line of the report that starts with "script error" is about the
script, not about the program.

Start it in Windows PowerShell or PowerShell 7, in a prompt that is not elevated:

    powershell -ExecutionPolicy Bypass -File tests\windows-real.ps1 -Program target\release\oauth-authorizer.exe

It runs the checks of a standard user, asks for consent once, and runs those of an administrator in a second window. In an elevated
prompt, and over SSH as an administrator, the checks of a standard user are left out. To compare, run it once at the console, over
SSH (ssh), over RDP, in PowerShell remoting and on Server Core: each report says where it was made.

Everything that it creates is removed at the end, also after Ctrl+C: URL reservations, certificate bindings, certificates, entries of
the iplisten list, and a folder for temporary files. It signs in to the demo server inside the program, and sends nothing to other
computers. It uses the ports 48411 to 48415. Parts that could disturb IIS or other programs are run only after a question.

.PARAMETER Program
The program to check.

.PARAMETER Report
The file that the report is written to. Default: windows-report.txt in the current folder.

.PARAMETER Unattended
Asks nobody: leaves out what requires a person, and runs everything else. For machines that are thrown away, such as those of CI.

.PARAMETER Elevated
Used by the script itself for its second half.

.EXAMPLE
powershell -ExecutionPolicy Bypass -File tests\windows-real.ps1 -Program .\oauth-authorizer.exe
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory = $true)] [string] $Program,
    [string] $Report = 'windows-report.txt',
    [switch] $Unattended,
    [switch] $Elevated
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$Program = (Resolve-Path -LiteralPath $Program).ProviderPath
$Report = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Report)
$script:Undo = New-Object System.Collections.Stack
$script:Failures = 0
$Folder = Join-Path ([IO.Path]::GetTempPath()) ('oauth-authorizer-' + [Guid]::NewGuid().ToString('N'))

# ---- The report -------------------------------------------------------------------------------------------------------------

function Write-Report([string] $Text) {
    Write-Host $Text
    Add-Content -LiteralPath $Report -Value $Text -Encoding UTF8
}

function Write-Part([string] $Name) {
    Write-Report ''
    Write-Report "== $Name"
}

# Runs a check. It returns what was seen, or throws what is wrong.
function Test-Part([string] $Name, [scriptblock] $Check) {
    try {
        $seen = & $Check
        Write-Report "ok: ${Name}: $seen"
    } catch {
        $script:Failures++
        $where = $_.InvocationInfo.ScriptLineNumber
        if ($_.Exception.Message.StartsWith('WRONG: ')) {
            Write-Report "FAILED: ${Name}: $($_.Exception.Message.Substring(7))"
        } else {
            Write-Report "script error: ${Name}: line ${where}: $($_.Exception.Message)"
        }
    }
}

# Ends a check: the program did not do what was expected.
function Assert-That([bool] $Condition, [string] $Text) {
    if (-not $Condition) { throw "WRONG: $Text" }
}

function Read-Answer([string] $Question) {
    if ($Unattended) { return $false }
    $answer = Read-Host "$Question [y/N]"
    return $answer -eq 'y'
}

# ---- The program and netsh --------------------------------------------------------------------------------------------------

# The arguments as one line. None of those used here has a quotation mark or ends in a backslash.
function Join-Arguments([string[]] $Arguments) {
    $quoted = foreach ($argument in $Arguments) {
        if ($argument -match '[\s;{}]') { '"' + $argument + '"' } else { $argument }
    }
    return $quoted -join ' '
}

# Runs a program to its end, for at most a minute; its exit code and all that it said.
function Invoke-Tool([string] $File, [string[]] $Arguments) {
    $start = New-Object System.Diagnostics.ProcessStartInfo
    $start.FileName = $File
    $start.Arguments = Join-Arguments $Arguments
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $start.RedirectStandardInput = $true
    # The program writes UTF-8; the tools of Windows write the code page of the console.
    if ($File -eq $Program) {
        $start.StandardOutputEncoding = [Text.Encoding]::UTF8
        $start.StandardErrorEncoding = [Text.Encoding]::UTF8
    }
    $process = [System.Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    $output = $process.StandardOutput.ReadToEndAsync()
    $problems = $process.StandardError.ReadToEndAsync()
    if (-not $process.WaitForExit(60000)) {
        $process.Kill()
        throw "WRONG: $File $($start.Arguments) did not end within a minute"
    }
    return [pscustomobject] @{
        ExitCode = $process.ExitCode
        Text = ($output.Result + $problems.Result).Trim()
    }
}

function Invoke-Configure([string] $Action, [string] $Url, [string[]] $More = @()) {
    $arguments = @('configure', $Action, "--redirect-url=$Url", '--listener=httpsys') + $More
    return Invoke-Tool $Program $arguments
}

function Invoke-Netsh([string] $Line) {
    return Invoke-Tool 'netsh.exe' ('http ' + $Line).Split(' ')
}

# True if netsh shows this. Its own words depend on the language; a URL and a thumbprint don't.
function Test-Shown([string] $Line, [string] $Expected) {
    return (Invoke-Netsh $Line).Text.ToLowerInvariant().Contains($Expected.ToLowerInvariant())
}

# ---- Sign-ins with the demo server ------------------------------------------------------------------------------------------

# The old compiler of Windows PowerShell knows C# 5.
Add-Type -TypeDefinition @'
using System;
using System.IO;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

public static class LoopbackBrowser
{
    /// The thumbprint of the certificate that was presented last.
    public static string Thumbprint = "";

    /// Sends a request to an address of this machine, with any certificate; the whole response.
    public static string Send(string address, int port, bool tls, string host, string head)
    {
        Thumbprint = "";
        using (TcpClient client = new TcpClient(address.Contains(":") ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork))
        {
            client.ReceiveTimeout = 10000;
            client.SendTimeout = 10000;
            client.Connect(address, port);
            Stream stream = client.GetStream();
            if (tls)
            {
                SslStream secure = new SslStream(stream, false, delegate(object sender, X509Certificate shown, X509Chain chain, SslPolicyErrors errors)
                {
                    Thumbprint = shown.GetCertHashString();
                    return true;
                });
                // By default, Windows PowerShell offers only TLS 1.0, which new versions of Windows reject.
                secure.AuthenticateAsClient(host, null, SslProtocols.Tls12, false);
                stream = secure;
            }
            byte[] request = Encoding.ASCII.GetBytes(head);
            stream.Write(request, 0, request.Length);
            MemoryStream response = new MemoryStream();
            byte[] some = new byte[4096];
            try
            {
                int count;
                while ((count = stream.Read(some, 0, some.Length)) > 0) response.Write(some, 0, count);
            }
            catch (IOException) { }
            return Encoding.UTF8.GetString(response.ToArray());
        }
    }
}
'@

# Sends a request as a browser does. `$Address` is where it connects to.
function Send-Request([string] $Address, [Uri] $Url, [string] $Method, [string] $Form) {
    $name = $Url.Host
    $host_header = if ($Url.IsDefaultPort) { $name } else { "${name}:$($Url.Port)" }
    $head = "$Method $($Url.PathAndQuery) HTTP/1.1`r`nHost: $host_header`r`nConnection: close`r`n"
    if ($Method -eq 'POST') {
        $head += "Content-Type: application/x-www-form-urlencoded`r`nContent-Length: $($Form.Length)`r`n`r`n$Form"
    } else {
        $head += "`r`n"
    }
    $tls = $Url.Scheme -eq 'https'
    return [LoopbackBrowser]::Send($Address, $Url.Port, $tls, $name.Trim('[', ']'), $head)
}

# What was written to a file that is still open.
function Read-Open([string] $Path) {
    $file = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite')
    try {
        return (New-Object IO.StreamReader($file)).ReadToEnd()
    } finally {
        $file.Dispose()
    }
}

# A whole sign-in: where the program listened, its notes, the first line of the page, and the exit code.
function Invoke-SignIn([string] $Url, [string] $Listener, [string] $Address) {
    $said = Join-Path $Folder ([Guid]::NewGuid().ToString('N') + '.txt')
    $token = "$said.token"
    $arguments = Join-Arguments @('--demo', '--plain', '--no-browser', '--flow=authorization-code', "--redirect-url=$Url",
        "--listener=$Listener", '--print=access-token')
    $process = Start-Process -FilePath $Program -ArgumentList $arguments -NoNewWindow -PassThru `
        -RedirectStandardError $said -RedirectStandardOutput $token
    # Without this, the exit code is not kept.
    $null = $process.Handle
    try {
        $text = ''
        $deadline = (Get-Date).AddSeconds(30)
        while ((Get-Date) -lt $deadline -and -not $process.HasExited -and $text -notmatch 'step: waiting for the browser') {
            Start-Sleep -Milliseconds 100
            $text = Read-Open $said
        }
        $page = ''
        $shown = ''
        if ($text -match 'authorization_url: (\S+)') {
            $start = [Uri] $Matches[1]
            $approved = Send-Request '127.0.0.1' $start 'POST' 'decision=approve'
            Assert-That ($approved -match '(?im)^location: (\S+)') "the demo server did not redirect: $approved"
            $page = Send-Request $Address ([Uri] $Matches[1]) 'GET' ''
            $shown = [LoopbackBrowser]::Thumbprint
        }
        $null = $process.WaitForExit(30000)
        $text = Read-Open $said
        $listening = if ($text -match '(?m)^listening: (.*)$') { $Matches[1].Trim() } else { '' }
        $notes = @([regex]::Matches($text, '(?m)^(note|error): (.*)$') | ForEach-Object { $_.Groups[2].Value.Trim() })
        return [pscustomobject] @{
            ExitCode = $process.ExitCode
            Listening = $listening
            Notes = $notes -join ' '
            Page = ($page -split "`r`n")[0]
            Thumbprint = $shown
            Token = (Get-Content -LiteralPath $token -Raw)
        }
    } finally {
        if (-not $process.HasExited) { $process.Kill() }
    }
}

# ---- Where this runs --------------------------------------------------------------------------------------------------------

function Test-Administrator {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal($identity)
    return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

function Get-Place {
    if (Get-Variable -Name PSSenderInfo -ErrorAction SilentlyContinue) { return 'PowerShell remoting' }
    if ($env:SSH_CONNECTION) { return 'SSH' }
    if ("$env:SESSIONNAME" -like 'RDP*') { return 'RDP' }
    return 'the console'
}

function Write-Machine {
    Write-Part 'this machine'
    $system = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $terminal = if ($env:WT_SESSION) { 'Windows Terminal' } else { 'conhost or none' }
    Write-Report "Windows: $($system.ProductName), build $($system.CurrentBuild), $($system.InstallationType)"
    Write-Report "processor: $env:PROCESSOR_ARCHITECTURE; language: $((Get-UICulture).Name); PowerShell $($PSVersionTable.PSVersion)"
    Write-Report "place: $(Get-Place); terminal: $terminal; administrator: $(Test-Administrator); user: $(whoami)"
    Write-Report "program: $((Invoke-Tool $Program @('--version')).Text)"
    Write-Report "HTTP service: $((Invoke-Tool 'sc.exe' @('query', 'http')).Text)"
    $iis = Get-Service W3SVC -ErrorAction SilentlyContinue
    Write-Report "IIS: $(if ($iis) { $iis.Status } else { 'not installed' })"
    Write-Report "iplisten: $((Invoke-Netsh 'show iplisten').Text)"
    Write-Report "doctor: $((Invoke-Tool $Program @('doctor')).Text)"
}

# ---- The parts --------------------------------------------------------------------------------------------------------------

$Hosts = @(
    @{ Name = 'localhost'; Address = '127.0.0.1' },
    @{ Name = 'localhost'; Address = '::1' },
    @{ Name = '127.0.0.1'; Address = '127.0.0.1' },
    @{ Name = '[::1]'; Address = '::1' }
)

# Every host, with and without a slash at the end, with each choice of the listener.
function Test-SignIns([bool] $Administrator) {
    Write-Part "sign-ins, administrator: $Administrator"
    foreach ($known in $Hosts) {
        foreach ($path in '/callback', '/callback/') {
            foreach ($listener in 'auto', 'httpsys', 'loopback') {
                $url = "http://$($known.Name):48411$path"
                Test-Part "$url from $($known.Address), --listener $listener" {
                    $result = Invoke-SignIn $url $listener $known.Address
                    $seen = "exit code $($result.ExitCode), $($result.Listening), page '$($result.Page)' $($result.Notes)"
                    $must = $Administrator -or $listener -ne 'httpsys'
                    Assert-That (($result.ExitCode -eq 0) -or -not $must) $seen
                    $seen
                }
            }
        }
    }
    foreach ($url in 'http://localhost/Temporary_Listen_Addresses/oauth-authorizer/', 'http://127.0.0.1:0/callback',
        'http://localhost:0/callback', 'http://127.0.0.1:48411/a%20b') {
        Test-Part "$url, --listener auto" {
            $result = Invoke-SignIn $url 'auto' '127.0.0.1'
            $seen = "exit code $($result.ExitCode), $($result.Listening), page '$($result.Page)' $($result.Notes)"
            Assert-That ($result.ExitCode -eq 0) $seen
            $seen
        }
    }
}

# Set up, verify and delete, each compared with what netsh shows.
function Test-Reservations {
    Write-Part 'reservations, compared with netsh'
    $sid = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    foreach ($name in 'localhost', '127.0.0.1', '[::1]') {
        $url = "http://${name}:48412/callback"
        $script:Undo.Push("delete urlacl url=$url/")
        Test-Part "$url" {
            $done = Invoke-Configure 'setup' $url
            Assert-That ($done.ExitCode -eq 0) "setup: $($done.Text)"
            Assert-That (Test-Shown "show urlacl url=$url/" "$url/") "netsh shows no reservation after: $($done.Text)"
            $found = Invoke-Configure 'verify' $url
            Assert-That ($found.ExitCode -eq 0) "verify: $($found.Text)"
            $gone = Invoke-Configure 'delete' $url
            Assert-That ($gone.ExitCode -eq 0) "delete: $($gone.Text)"
            Assert-That (-not (Test-Shown "show urlacl url=$url/" "$url/")) 'netsh still shows the reservation'
            "setup: $($done.Text) verify: $($found.Text) delete: $($gone.Text)"
        }
    }
    Test-Part 'a reservation of the path above' {
        $script:Undo.Push('delete urlacl url=http://127.0.0.1:48412/')
        $null = Invoke-Netsh "add urlacl url=http://127.0.0.1:48412/ sddl=D:(A;;GX;;;$sid)"
        $found = Invoke-Configure 'verify' 'http://127.0.0.1:48412/callback'
        $result = Invoke-SignIn 'http://127.0.0.1:48412/callback' 'httpsys' '127.0.0.1'
        $null = Invoke-Netsh 'delete urlacl url=http://127.0.0.1:48412/'
        Assert-That ($found.ExitCode -eq 0) $found.Text
        "$($found.Text) sign-in: exit code $($result.ExitCode)"
    }
    Test-Part 'a built-in account by its English name' {
        $url = 'http://127.0.0.1:48412/service'
        $script:Undo.Push("delete urlacl url=$url/")
        $done = Invoke-Configure 'setup' $url @('--user=NT AUTHORITY\NETWORK SERVICE')
        $shown = (Invoke-Netsh "show urlacl url=$url/").Text
        $null = Invoke-Configure 'delete' $url @('--user=S-1-5-20')
        # netsh may write the identifier as NS.
        Assert-That ($done.ExitCode -eq 0 -and $shown -match 'S-1-5-20|;NS\)') "$($done.Text) netsh: $shown"
        $done.Text
    }
}

# A certificate of the machine that is removed at the end.
function New-Certificate([string[]] $Parameters) {
    $created = switch ($Parameters[0]) {
        'name' { New-SelfSignedCertificate -DnsName $Parameters[1] -CertStoreLocation Cert:\LocalMachine\My }
        'address' {
            New-SelfSignedCertificate -Subject "CN=$($Parameters[1])" -CertStoreLocation Cert:\LocalMachine\My `
                -TextExtension @("2.5.29.17={text}IPAddress=$($Parameters[1])")
        }
    }
    $script:Undo.Push("Cert:\LocalMachine\My\$($created.Thumbprint)")
    return $created.Thumbprint
}

function Test-Https {
    Write-Part 'https: which certificate is presented'
    $app = '{6f2b1c0e-93d4-4a57-8e1f-5d0c7a42b9e6}'
    $sid = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    $named = New-Certificate @('name', 'localhost')
    $other = New-Certificate @('name', 'other.example')
    $numbered = New-Certificate @('address', '127.0.0.1')
    foreach ($case in @(
            @{ Url = 'https://localhost:48413/callback'; Hash = $named; Key = 'hostnameport=localhost:48413' },
            @{ Url = 'https://127.0.0.1:48413/callback'; Hash = $numbered; Key = 'ipport=127.0.0.1:48413' })) {
        $url = $case.Url
        $script:Undo.Push("delete urlacl url=$url/")
        $script:Undo.Push("delete sslcert $($case.Key)")
        Test-Part "$url" {
            $done = Invoke-Configure 'setup' $url @("--thumbprint=$($case.Hash)")
            Assert-That ($done.ExitCode -eq 0) "setup: $($done.Text)"
            Assert-That (Test-Shown "show sslcert $($case.Key)" $case.Hash) "netsh shows no binding after: $($done.Text)"
            $found = Invoke-Configure 'verify' $url @("--thumbprint=$($case.Hash)")
            Assert-That ($found.ExitCode -eq 0) "verify: $($found.Text)"
            $result = Invoke-SignIn $url 'httpsys' '127.0.0.1'
            Assert-That ($result.Thumbprint -eq $case.Hash) "presented: $($result.Thumbprint), bound: $($case.Hash)"
            Assert-That ($result.ExitCode -eq 0) "sign-in: exit code $($result.ExitCode) $($result.Notes)"
            "verify: $($found.Text) presented: $($result.Thumbprint)"
        }
    }
    Test-Part 'another certificate of the address before that of the name' {
        $null = Invoke-Netsh "delete sslcert ipport=127.0.0.1:48413"
        $null = Invoke-Netsh "add sslcert ipport=127.0.0.1:48413 certhash=$other appid={00112233-4455-6677-8899-aabbccddeeff} certstorename=MY"
        $found = Invoke-Configure 'verify' 'https://localhost:48413/callback' @("--thumbprint=$named")
        $result = Invoke-SignIn 'https://localhost:48413/callback' 'httpsys' '127.0.0.1'
        $null = Invoke-Netsh 'delete sslcert ipport=127.0.0.1:48413'
        $seen = "verify: exit code $($found.ExitCode), $($found.Text) presented: $($result.Thumbprint) (the other one: $other)"
        Assert-That (($result.Thumbprint -eq $other) -eq ($found.ExitCode -eq 6)) $seen
        $seen
    }
    foreach ($name in 'localhost', '127.0.0.1') {
        $null = Invoke-Configure 'delete' "https://${name}:48413/callback"
    }
    Test-Part 'a certificate of all addresses' {
        $script:Undo.Push('delete sslcert ipport=0.0.0.0:48414')
        $script:Undo.Push('delete urlacl url=https://localhost:48414/callback/')
        $null = Invoke-Netsh "add sslcert ipport=0.0.0.0:48414 certhash=$named appid=$app certstorename=MY"
        $null = Invoke-Netsh "add urlacl url=https://localhost:48414/callback/ sddl=D:(A;;GX;;;$sid)"
        $found = Invoke-Configure 'verify' 'https://localhost:48414/callback'
        $four = Invoke-SignIn 'https://localhost:48414/callback' 'httpsys' '127.0.0.1'
        $six = Invoke-SignIn 'https://localhost:48414/callback' 'httpsys' '::1'
        $seen = "verify: exit code $($found.ExitCode), $($found.Text) presented on IPv4: $($four.Thumbprint), on IPv6: $($six.Thumbprint)"
        Assert-That ($four.Thumbprint -eq $named -and $found.ExitCode -eq 0) $seen
        $seen
    }
    Test-Part 'the command that creates a certificate' {
        $found = Invoke-Configure 'verify' 'https://nothing.example:48415/callback'
        Assert-That ($found.Text -match 'powershell "(.*)"') "no command: $($found.Text)"
        $created = & ([scriptblock]::Create($Matches[1]))
        $script:Undo.Push("Cert:\LocalMachine\My\$created")
        $names = (Get-Item "Cert:\LocalMachine\My\$created").DnsNameList -join ', '
        Assert-That ($names -match 'nothing.example') "it is for $names"
        "created $created for $names"
    }
}

function Test-ListenList {
    Write-Part 'iplisten'
    $before = (Invoke-Netsh 'show iplisten').Text
    if ($before -match '\d+\.\d+\.\d+\.\d+|::') {
        Write-Report "left out: there is a list already: $before"
        return
    }
    if (-not $Unattended -and -not (Read-Answer 'Add an address to the iplisten list for a moment? It counts only if the HTTP service is restarted meanwhile.')) {
        Write-Report 'left out: not wanted'
        return
    }
    foreach ($case in @(
            @{ Entry = '::'; Url = 'http://127.0.0.1:48412/callback'; Unfit = $true },
            @{ Entry = '::'; Url = 'http://[::1]:48412/callback'; Unfit = $false },
            @{ Entry = '0.0.0.0'; Url = 'http://[::1]:48412/callback'; Unfit = $true },
            @{ Entry = '127.0.0.1'; Url = 'http://127.0.0.1:48412/callback'; Unfit = $false })) {
        $script:Undo.Push("delete iplisten ipaddress=$($case.Entry)")
        Test-Part "$($case.Entry) alone, $($case.Url)" {
            $null = Invoke-Netsh "add iplisten ipaddress=$($case.Entry)"
            $found = Invoke-Configure 'verify' $case.Url
            $null = Invoke-Netsh "delete iplisten ipaddress=$($case.Entry)"
            $unfit = $found.Text -match 'limited to some addresses'
            Assert-That ($unfit -eq $case.Unfit) $found.Text
            $found.Text
        }
    }
}

function Test-Websites {
    Write-Part 'IIS on port 80'
    $iis = Get-Service W3SVC -ErrorAction SilentlyContinue
    if (-not $iis -or $iis.Status -ne 'Running') {
        Write-Report 'left out: IIS is not running'
        return
    }
    if (-not $Unattended -and -not (Read-Answer 'Reserve http://localhost:80/ for a moment? The websites of this machine may stop working meanwhile.')) {
        Write-Report 'left out: not wanted'
        return
    }
    $status = { (Send-Request '127.0.0.1' ([Uri] 'http://localhost/') 'GET' '').Split("`r")[0] }
    $script:Undo.Push('delete urlacl url=http://localhost:80/')
    Test-Part 'a reservation of all paths on port 80' {
        $before = & $status
        $done = Invoke-Configure 'setup' 'http://localhost/'
        $meanwhile = & $status
        $null = Invoke-Configure 'delete' 'http://localhost/'
        $after = & $status
        Assert-That ($done.Text -match 'IIS') "no warning: $($done.Text)"
        "before: $before, meanwhile: $meanwhile, after: $after"
    }
    Test-Part 'a path of its own beside IIS' {
        $result = Invoke-SignIn 'http://localhost:80/callback' 'httpsys' '127.0.0.1'
        Assert-That ($result.ExitCode -eq 0) "exit code $($result.ExitCode) $($result.Notes)"
        "page '$($result.Page)', IIS: $(& $status)"
    }
}

function Test-Consent {
    Write-Part 'consent'
    if ($Unattended -or (Test-Administrator) -or $env:SSH_CONNECTION) {
        Write-Report 'left out: it requires a person at a desktop, in a prompt that is not elevated'
        return
    }
    $url = 'http://127.0.0.1:48412/consent'
    Write-Host 'Windows will ask for your consent twice. Choose No the first time, and Yes the second time.'
    Test-Part 'refused' {
        $done = Invoke-Configure 'setup' $url
        Assert-That ($done.ExitCode -eq 1 -and $done.Text -match '1223') $done.Text
        $done.Text
    }
    Test-Part 'granted' {
        $done = Invoke-Configure 'setup' $url
        Assert-That ($done.ExitCode -eq 0) $done.Text
        $done.Text
    }
    Write-Host 'Windows will ask once more, to remove it. Choose Yes.'
    Test-Part 'removed' {
        $done = Invoke-Configure 'delete' $url
        Assert-That ($done.ExitCode -eq 0) $done.Text
        $done.Text
    }
}

# What only a person sees. The form is open in a window of its own meanwhile.
function Test-ByHand {
    Write-Part 'by hand'
    if ($Unattended -or $env:SSH_CONNECTION) {
        Write-Report 'left out: it requires a person at a desktop'
        return
    }
    $text = '~' + [char] 0x20AC + [char] 0xFC
    foreach ($terminal in 'conhost.exe', 'wt.exe') {
        if (-not (Get-Command $terminal -ErrorAction SilentlyContinue)) {
            Write-Report "left out: there is no $terminal"
            continue
        }
        Set-Clipboard -Value $text
        $window = if ($terminal -eq 'wt.exe') { "new-tab `"$Program`" --demo" } else { "`"$Program`" --demo" }
        $null = Start-Process -FilePath $terminal -ArgumentList $window
        Write-Host "In the window of ${terminal}: go to Client ID with Tab, and paste with Ctrl+V (and, in conhost, with a right click)."
        $right = Read-Answer "Does the field contain exactly $text, each time?"
        Write-Report "paste in ${terminal}: $(if ($right) { 'ok' } else { 'FAILED' })"
        Write-Host 'Sign in there with the demo, copy the access token, and leave the program open.'
        $null = Read-Host 'Then press Enter here'
        Test-Part "formats on the clipboard, from $terminal" {
            Add-Type -AssemblyName System.Windows.Forms
            $data = [System.Windows.Forms.Clipboard]::GetDataObject()
            Assert-That ($null -ne $data) 'the clipboard is empty, or this thread may not read it'
            $data.GetFormats($false) -join ', '
        }
    }
}

# A profile can't be made without a service; that DPAPI works for this logon can be seen without one.
function Test-Dpapi {
    Write-Part 'DPAPI'
    Add-Type -AssemblyName System.Security
    foreach ($scope in 'CurrentUser', 'LocalMachine') {
        Test-Part "$scope, from $(Get-Place)" {
            $plain = [Text.Encoding]::UTF8.GetBytes('oauth-authorizer')
            $hidden = [Security.Cryptography.ProtectedData]::Protect($plain, $null, $scope)
            $back = [Security.Cryptography.ProtectedData]::Unprotect($hidden, $null, $scope)
            Assert-That ([Text.Encoding]::UTF8.GetString($back) -eq 'oauth-authorizer') 'it came back as something else'
            "$($hidden.Length) bytes"
        }
    }
}

# The path of a new certificate in a store, with a key of this kind. Nothing if the machine has no such provider, unless it must.
function New-ClientKey([string] $Store, [hashtable] $Kind) {
    $parameters = $Kind.Parameters
    try {
        $created = New-SelfSignedCertificate -Subject 'CN=oauth-authorizer test' -KeyExportPolicy NonExportable `
            -CertStoreLocation "Cert:\$Store\My" @parameters
    } catch {
        if ($Kind.Must) { throw }
        return
    }
    $path = "Cert:\$Store\My\$($created.Thumbprint)"
    $script:Undo.Push($path)
    return $path
}

# Client keys in a certificate store. The program signs once before it connects: where the connection to a closed port fails, the
# key has signed. What a TPM and a legacy provider can do differs, and is reported only.
function Test-ClientKeys([string] $Store) {
    Write-Part "client keys in Cert:\$Store\My"
    $kinds = @(
        @{ Name = 'RSA'; Must = $true; Parameters = @{ KeyAlgorithm = 'RSA'; KeyLength = 2048 }; Algorithms = 'RS256', 'PS256', 'PS512' },
        @{ Name = 'EC P-256'; Must = $true; Parameters = @{ KeyAlgorithm = 'ECDSA_nistP256' }; Algorithms = , 'ES256' },
        @{ Name = 'EC P-384'; Must = $true; Parameters = @{ KeyAlgorithm = 'ECDSA_nistP384' }; Algorithms = , 'ES384' },
        @{ Name = 'TPM'; Must = $false; Parameters = @{ Provider = 'Microsoft Platform Crypto Provider' }; Algorithms = 'RS256', 'PS256' },
        @{ Name = 'legacy provider'; Must = $false; Algorithms = 'RS256', 'PS256'
            Parameters = @{ Provider = 'Microsoft Enhanced RSA and AES Cryptographic Provider'; KeySpec = 'KeyExchange' } }
    )
    $preset = Join-Path $Folder 'service.toml'
    foreach ($kind in $kinds) {
        foreach ($algorithm in $kind.Algorithms) {
            Test-Part "$($kind.Name), $algorithm" {
                $path = New-ClientKey $Store $kind
                if (-not $path) { return 'left out: this machine can''t create such a key' }
                $text = "id = 'service'`nname = 'Service'`ngroup = 'business'`n[endpoints]`ntoken = 'http://127.0.0.1:48415/token'`n" +
                    "[flows]`noffered = ['client-credentials']`n[client]`nassertion = { algorithm = '$algorithm', thumbprint = true }`n"
                [IO.File]::WriteAllText($preset, $text)
                $result = Invoke-Tool $Program @('--plain', '--flow=client-credentials', '--client-id=test', "--preset-file=$preset",
                    "--client-key=$path", '--print=access-token')
                $seen = "exit code $($result.ExitCode), $($result.Text)"
                $signed = $result.Text -match 'Can''t connect to 127\.0\.0\.1:48415'
                Assert-That ($signed -or -not $kind.Must) $seen
                "signed: $signed; $seen"
            }
        }
        Test-Part "$($kind.Name), mutual TLS" {
            $path = New-ClientKey $Store $kind
            if (-not $path) { return 'left out: this machine can''t create such a key' }
            $result = Invoke-Tool $Program @('--plain', '--flow=client-credentials', '--client-id=test',
                '--token-url=https://127.0.0.1:48415/token', '--client-authentication=mutual-tls', "--client-key=$path",
                '--print=access-token')
            $seen = "exit code $($result.ExitCode), $($result.Text)"
            $signed = $result.Text -match 'Can''t connect to 127\.0\.0\.1:48415'
            Assert-That ($signed -or -not $kind.Must) $seen
            "signed: $signed; $seen"
        }
    }
}

function Test-Remoting {
    Write-Part 'PowerShell remoting'
    $service = Get-Service WinRM -ErrorAction SilentlyContinue
    if (-not $service -or $service.Status -ne 'Running') {
        Write-Report 'left out: WinRM is not running'
        return
    }
    try {
        $session = New-PSSession -ComputerName localhost
    } catch {
        Write-Report "left out: this machine accepts no session: $($_.Exception.Message)"
        return
    }
    Test-Part 'the program in a session' {
        $answer = Invoke-Command -Session $session -ArgumentList $Program -ScriptBlock {
            param($program)
            # What a program writes to standard error becomes an error record, which ends this script.
            & $program --version 2>&1 | ForEach-Object { "$_" }
            & $program configure verify --redirect-url http://localhost:48412/callback 2>&1 | ForEach-Object { "$_" }
            "exit code $LASTEXITCODE"
        }
        $answer -join ' '
    }
    Remove-PSSession $session
}

# ---- All of it --------------------------------------------------------------------------------------------------------------

# Removes what is still there, the latest first. What was removed already is not there any more.
function Undo-All {
    while ($script:Undo.Count -gt 0) {
        $step = [string] $script:Undo.Pop()
        try {
            if ($step.StartsWith('Cert:\')) {
                Remove-Item -LiteralPath $step -DeleteKey -ErrorAction SilentlyContinue
                # Windows puts a copy of such a certificate among those of intermediate authorities.
                Remove-Item -LiteralPath ($step.Replace('\My\', '\CA\')) -ErrorAction SilentlyContinue
            } else {
                $null = Invoke-Netsh $step
            }
        } catch {
            Write-Report "not removed: ${step}: $($_.Exception.Message)"
        }
    }
    Remove-Item -LiteralPath $Folder -Recurse -Force -ErrorAction SilentlyContinue
}

# The second half, as administrator, with consent.
function Start-Elevated {
    if (Test-Administrator) { return $true }
    if ($Unattended -or $env:SSH_CONNECTION) {
        Write-Report 'The checks of an administrator were left out: nobody can be asked for consent.'
        return $false
    }
    $shell = (Get-Process -Id $PID).Path
    $arguments = @('-NoProfile', '-ExecutionPolicy', 'Bypass', '-File', "`"$PSCommandPath`"", '-Program', "`"$Program`"", '-Report',
        "`"$Report`"", '-Elevated')
    Write-Host 'Windows now asks for your consent to the checks of an administrator, which run in a window of their own.'
    try {
        Start-Process -FilePath $shell -Verb RunAs -Wait -ArgumentList $arguments
    } catch {
        Write-Report "The checks of an administrator were left out: $($_.Exception.Message)"
    }
    return $false
}

$null = New-Item -ItemType Directory -Path $Folder
try {
    if (-not $Elevated) {
        Set-Content -LiteralPath $Report -Value "oauth-authorizer on Windows, $(Get-Date -Format s)" -Encoding UTF8
        Write-Machine
        if (-not (Test-Administrator)) { Test-SignIns $false }
        Test-Dpapi
        Test-ClientKeys 'CurrentUser'
        Test-Consent
        Test-ByHand
    }
    if (Start-Elevated) {
        Test-SignIns $true
        Test-Reservations
        Test-Https
        Test-ListenList
        Test-ClientKeys 'LocalMachine'
        Test-Websites
        Test-Remoting
    }
} finally {
    Undo-All
    Write-Report ''
    Write-Report "$script:Failures checks did not end well. This half is over."
}
exit $(if ($script:Failures -gt 0) { 1 } else { 0 })
