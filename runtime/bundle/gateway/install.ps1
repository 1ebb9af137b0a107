# Installs the gateway without a network; run as administrator, see README.txt.
# Run again, also from a newer bundle, it replaces what is there. Events and settings stay.
param(
    [string]$Target = "$env:ProgramFiles\custody",
    [string]$Data = "$env:ProgramData\custody",
    [string]$Python = ""
)
$ErrorActionPreference = "Stop"

function Fail([string]$What, [string]$Expected, [string]$Next) {
    [Console]::Error.WriteLine("error: $What")
    [Console]::Error.WriteLine("  expected: $Expected")
    [Console]::Error.WriteLine("  next: $Next")
    exit 3
}

function Invoke-Checked([string]$Program, [string[]]$Arguments) {
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        Fail "$Program ended with $LASTEXITCODE" "0" "read what it said above"
    }
}

if (-not $Python -and (Get-Command py -ErrorAction SilentlyContinue)) {
    foreach ($Version in @PYTHON_NAMES@) {
        $ErrorActionPreference = "Continue"
        $Found = & py "-$Version-64" -c "import sys; print(sys.executable)" 2>$null
        $Works = $LASTEXITCODE -eq 0
        $ErrorActionPreference = "Stop"
        if ($Works -and $Found) { $Python = $Found; break }
    }
}
if (-not $Python) {
    Fail "no Python this bundle is for was found" "Python @PYTHONS@, 64 bit" `
        "install one for all users, or install.ps1 -Python C:\path\to\python.exe"
}
if ((Test-Path $Target) -and -not (Test-Path "$Target\pyvenv.cfg") -and (Get-ChildItem -Force $Target)) {
    Fail "$Target holds something else" "an empty directory, or an earlier gateway" `
        "install.ps1 -Target C:\another\directory"
}

Invoke-Checked $Python @("-m", "venv", "--clear", $Target)
Invoke-Checked "$Target\Scripts\python.exe" @(
    "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps",
    "--require-hashes", "--find-links", "$PSScriptRoot\wheels",
    "--requirement", "$PSScriptRoot\requirements.txt"
)
# What installed it is a fifth of all, and never used again: an update makes the directory anew.
$ErrorActionPreference = "Continue"
& "$Target\Scripts\python.exe" -m pip uninstall --quiet --yes setuptools pip 2>$null
$ErrorActionPreference = "Stop"

# By number, because the names of these accounts are translated: SYSTEM, Administrators,
# LOCAL SERVICE.
New-Item -ItemType Directory -Force $Data | Out-Null
Invoke-Checked "icacls.exe" @(
    $Data, "/inheritance:r", "/grant:r",
    "*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F", "*S-1-5-19:(OI)(CI)M"
)
if (-not (Test-Path "$Data\.env")) { Copy-Item "$PSScriptRoot\gateway.env" "$Data\.env" }

Invoke-Checked "$Target\Scripts\custody.exe" @("--version")
Write-Output "installed into $Target; README.txt says how to run it"
