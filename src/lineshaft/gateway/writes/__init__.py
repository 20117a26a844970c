"""Write-back: commands that change a value on a device, judged by the gateway's own plan."""
