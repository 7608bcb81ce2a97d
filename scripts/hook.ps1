# Runs scripts/NAME.py as a hook of azd, in the checkout's .venv, which it makes where there is none: hook.ps1 NAME
param([Parameter(Mandatory = $true)][string]$Name)
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $false  # a profile may say otherwise, and a Python that is too old is no error
Set-Location -Path (Join-Path -Path $PSScriptRoot -ChildPath '..')
$candidates = @(
    @('py', '-3.13'), @('py', '-3.14'), @('python3.13'), @('python3'), @('python')
)
foreach ($candidate in $candidates) {
    $program, $options = $candidate
    if (-not (Get-Command -Name $program -CommandType Application -ErrorAction SilentlyContinue)) { continue }
    $options = @($options | Where-Object { $_ })
    & $program @options -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>$null
    if ($LASTEXITCODE -eq 0) {
        & $program @options tasks.py hook $Name
        exit $LASTEXITCODE
    }
}
if (Get-Command -Name uv -CommandType Application -ErrorAction SilentlyContinue) {
    & uv run tasks.py hook $Name
    exit $LASTEXITCODE
}
[Console]::Error.WriteLine('entra-sod needs Python 3.13: install it (winget install Python.Python.3.13), and run azd again.')
exit 1
