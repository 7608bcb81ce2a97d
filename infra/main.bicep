// Everything that entra-sod needs on Azure, in a resource group of its own. docs/how-to/deploy.md has the steps.
targetScope = 'subscription'

@description('Name of the azd environment: part of the resource group\'s name, and a tag on everything.')
@minLength(1)
@maxLength(24)
param environmentName string
@description('Region of everything; Flex Consumption with Python 3.13 must be offered there.')
@metadata({ azd: { type: 'location' } })
param location string

@description('The app\'s own settings, as docs/reference/settings.md has them. What is empty is left to the app\'s default.')
param settings { *: string }
@description('Settings that come from Key Vault, with commas between: WEBHOOK_SIGNING_KEYS from the secret webhook-signing-keys.')
param settingsFromVault string = ''
@description('Catalogs that the app works on, ids or names with commas between. Only scripts/grant.py reads it.')
param catalogs string = ''

@description('MB of memory of an instance. 512 is too little for the Graph client.')
@allowed([2048, 4096])
param instanceMemoryMB int = 2048
@description('Most instances of each group of functions. With host.json\'s batches it bounds parallel calls to Graph.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Instances that are kept warm: http=1,function:run_check=1.')
param alwaysReady string = ''

@description('Application id of the API in Entra, which scripts/register_api.py makes. Empty: keys only.')
param apiClientId string = ''
@description('Sources of webhooks that may call without a token, with commas between: their signatures prove them.')
param webhookSources string = ''
@description('Object id of the person or group that pushes rules, sets secrets and sends poison messages again. Empty: the account that deploys; none: no person.')
param operatorId string = ''
@description('Object id of the account that deploys, as azd gives it.')
param principalId string = ''
@description('Object id of the person or group that applies references and erases persons by the command line. Empty: no person.')
param custodianId string = ''

@description('Reach storage and Key Vault through private endpoints only.')
param privateNetworking bool = false
@description('Address range of the private network.')
param addressPrefix string = '10.70.0.0/24'

@description('Replication of storage. Where a region has no zones: Standard_GRS.')
@allowed(['Standard_ZRS', 'Standard_GZRS', 'Standard_GRS'])
param storageSku string = 'Standard_ZRS'
@description('Days before evidence may be changed or deleted.')
@minValue(1)
@maxValue(146000)
param evidenceDays int = 365
@description('The policy of evidence was locked, so leave it alone. scripts/evidence_policy.py sets this.')
param evidenceLocked bool = false
@description('Days after which results of checks and sweeps are deleted; the app refuses them after 30.')
@minValue(31)
param resultDays int = 40
@description('Days in which deleted blobs can be brought back.')
@minValue(7)
@maxValue(365)
param softDeleteDays int = 14
@description('The storage account cannot be deleted before this lock is removed.')
param deleteLock bool = false
@description('Key Vault cannot be destroyed before 90 days have passed. Once true it cannot be made false.')
param purgeProtection bool = true
@description('Makes other names for all resources, where those of an environment that was taken down are still taken.')
@maxLength(12)
param resourceSuffix string = ''
@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Address that alerts go to. Empty: the portal shows them, and the workflow launch-and-wait is refused.')
param alertEmail string = ''
@description('Costs of a month, in the subscription\'s currency, that are worth a mail.')
@minValue(1)
param budgetAmount int = 100
@description('First day of this month, such as 2026-11-01, and never changed after. Empty: no budget.')
param budgetStart string = ''

@description('App id of Entra\'s governance service, for the workflow launch-and-wait. Empty: not deployed.')
param governanceAppId string = ''
@description('What launch-and-wait does with a decision "review": leave the request waiting and tell a person, deny, or continue, which is for policies with an approver.')
@allowed(['wait', 'deny', 'continue'])
param onReview string = 'wait'
@description('Page with the evidence that launch-and-wait shows to approvers, who must be able to open it. Empty: no link.')
param evidenceUrl string = ''
@description('https address that launch-and-wait also posts to when a request keeps waiting. Empty: alerts alone tell.')
@secure()
param tellUrl string = ''
@description('Object id of the identity that may call the workflows for checks. Empty: not deployed.')
param workflowCallerId string = ''
@description('Address of a Teams channel\'s workflow, for the nightly summary. Empty: not deployed.')
@secure()
param teamsUrl string = ''
@description('Where tickets are opened and closed, for findings; with teamsUrl. Empty: not deployed.')
@secure()
param ticketsUrl string = ''

var token = empty(resourceSuffix)
  ? uniqueString(subscription().id, environmentName, location)
  : uniqueString(subscription().id, environmentName, location, resourceSuffix)
var operator = operatorId == 'none' ? '' : empty(operatorId) ? principalId : operatorId
var tags = { 'azd-env-name': environmentName }
var apiAudience = 'api://${apiClientId}'
var fromVault = filter(map(split(settingsFromVault, ','), each => trim(each)), each => !empty(each))
var vaultSettings = toObject(fromVault, each => each, each => toLower(replace(each, '_', '-')))
var sources = filter(map(split(webhookSources, ','), each => trim(each)), each => !empty(each))
var warm = map(filter(split(alwaysReady, ','), each => !empty(each)), each => {
  name: trim(split(each, '=')[0])
  instanceCount: int(split(each, '=')[1])
})

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  name: 'identity'
  params: { name: 'id-${token}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  name: 'monitoring'
  params: {
    workspaceName: 'log-${token}'
    insightsName: 'appi-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    retentionDays: logDays
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  name: 'storage'
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: storageSku
    appPrincipalId: identity.outputs.principalId
    isPrivate: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
    evidenceDays: evidenceDays
    evidenceLocked: evidenceLocked
    resultDays: resultDays
    softDeleteDays: softDeleteDays
    deleteLock: deleteLock
  }
}

module package 'modules/package.bicep' = {
  scope: group
  name: 'package'
  params: {
    name: 'stpkg${token}'
    identityName: 'id-package-${token}'
    location: location
    tags: tags
    sku: storageSku
    isPrivate: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
  }
}

module operatorRoles 'modules/operator.bicep' = if (!empty(operator)) {
  scope: group
  name: 'operator'
  params: { storageName: storage.outputs.name, principalId: operator }
}

module custodian 'modules/custodian.bicep' = if (!empty(custodianId)) {
  scope: group
  name: 'custodian'
  params: { storageName: storage.outputs.name, principalId: custodianId }
}

module vault 'modules/key-vault.bicep' = {
  scope: group
  name: 'key-vault'
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    operatorId: operator
    isPrivate: privateNetworking
    workspaceId: monitoring.outputs.workspaceId
    purgeProtection: purgeProtection
  }
}

module network 'modules/network.bicep' = if (privateNetworking) {
  scope: group
  name: 'network'
  params: { name: 'vnet-${token}', location: location, tags: tags, addressPrefix: addressPrefix }
}

var storageParts = ['blob', 'queue', 'table']
module storageEndpoints 'modules/private-endpoint.bicep' = [
  for part in storageParts: if (privateNetworking) {
    scope: group
    name: 'private-${part}'
    params: {
      name: 'pe-${part}-${token}'
      location: location
      tags: tags
      networkId: network!.outputs.networkId
      subnetId: network!.outputs.endpointSubnetId
      targetId: storage.outputs.id
      groupId: part
      zoneName: 'privatelink.${part}.${environment().suffixes.storage}'
    }
  }
]

// Its zone is the one of blobs, which the endpoints above have made.
module packageEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  scope: group
  name: 'private-package'
  params: {
    name: 'pe-package-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointSubnetId
    targetId: package.outputs.id
    groupId: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
  }
  dependsOn: [storageEndpoints]
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (privateNetworking) {
  scope: group
  name: 'private-vault'
  params: {
    name: 'pe-vault-${token}'
    location: location
    tags: tags
    networkId: network!.outputs.networkId
    subnetId: network!.outputs.endpointSubnetId
    targetId: vault.outputs.id
    groupId: 'vault'
    zoneName: 'privatelink.vaultcore.azure.net'
  }
}

module app 'modules/app.bicep' = {
  scope: group
  name: 'app'
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    packageIdentityId: package.outputs.identityId
    packageUri: package.outputs.containerUri
    apiClientId: apiClientId
    requireToken: empty(settings.?CALLER_KEYS ?? '') && !contains(fromVault, 'CALLER_KEYS')
    openPaths: [for source in sources: '/api/webhooks/${source}']
    settings: settings
    vaultSettings: vaultSettings
    vaultUri: vault.outputs.uri
    blobUri: storage.outputs.blobUri
    queueUri: storage.outputs.queueUri
    tableUri: storage.outputs.tableUri
    insightsConnectionString: monitoring.outputs.connectionString
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
    workspaceId: monitoring.outputs.workspaceId
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: warm
  }
  dependsOn: [storageEndpoints, packageEndpoint, vaultEndpoint]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  name: 'alerts'
  params: {
    prefix: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    insightsId: monitoring.outputs.insightsId
    appPrincipalId: identity.outputs.principalId
    email: alertEmail
    appUrl: app.outputs.url
  }
}

module workbook 'modules/workbook.bicep' = {
  scope: group
  name: 'workbook'
  params: { location: location, tags: tags, workspaceId: monitoring.outputs.workspaceId }
}

module budget 'modules/budget.bicep' = if (!empty(budgetStart)) {
  scope: group
  name: 'budget'
  params: {
    name: 'budget-${token}'
    amount: budgetAmount
    start: budgetStart
    actionGroupId: alerts.outputs.actionGroupId
  }
}

// A request that waits unnoticed fails in the end, so without a person to tell there is no hook.
var hasHook = empty(apiClientId) || empty(governanceAppId)
  ? false
  : empty(alertEmail)
      ? fail('GOVERNANCE_APP_ID deploys launch-and-wait, which has to tell a person of every request that it leaves waiting: set ALERT_EMAIL.')
      : true
module launchAndWait 'logic-apps/launch-and-wait.bicep' = if (hasHook) {
  scope: group
  name: 'launch-and-wait'
  params: {
    location: location
    tags: tags
    appUrl: app.outputs.url
    appAudience: apiAudience
    governanceAppId: governanceAppId
    onReview: onReview
    evidenceUrl: evidenceUrl
    tellUrl: tellUrl
    actionGroupId: alerts.outputs.actionGroupId
  }
}

var hasChecks = !empty(apiClientId) && !empty(workflowCallerId)
module pollACheck 'logic-apps/poll-a-check.bicep' = if (hasChecks) {
  scope: group
  name: 'poll-a-check'
  params: {
    location: location
    tags: tags
    appUrl: app.outputs.url
    appAudience: apiAudience
    callerObjectId: workflowCallerId
  }
}

module webhookCallback 'logic-apps/webhook-callback.bicep' = if (hasChecks) {
  scope: group
  name: 'webhook-callback'
  params: {
    location: location
    tags: tags
    appUrl: app.outputs.url
    appAudience: apiAudience
    callerObjectId: workflowCallerId
  }
}

var hasSummary = !empty(apiClientId) && !empty(teamsUrl)
module nightlySummary 'logic-apps/nightly-summary.bicep' = if (hasSummary) {
  scope: group
  name: 'nightly-summary'
  params: {
    location: location
    tags: tags
    appUrl: app.outputs.url
    appAudience: apiAudience
    teamsUrl: teamsUrl
  }
}

var hasTickets = !empty(ticketsUrl) && !empty(teamsUrl)
module tellOfFindings 'logic-apps/tell-of-findings.bicep' = if (hasTickets) {
  scope: group
  name: 'tell-of-findings'
  params: {
    location: location
    tags: tags
    ticketsUrl: ticketsUrl
    teamsUrl: teamsUrl
  }
}

// azd keeps these in its environment and gives them to the hooks of azure.yaml.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_FUNCTION_APP_URL string = app.outputs.url
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output PACKAGE_STORAGE_ACCOUNT_NAME string = package.outputs.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output APP_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output PACKAGE_IDENTITY_PRINCIPAL_ID string = package.outputs.principalId
output APP_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output LOGIC_APP_PRINCIPAL_ID string = hasHook ? launchAndWait!.outputs.principalId : ''
output LOGIC_APP_ID string = hasHook ? launchAndWait!.outputs.workflowId : ''
@description('For scripts/register_api.py: which app role each workflow needs.')
output SOD_APP_ROLES string = join(
  concat(
    hasHook ? ['SoD.Decide=${launchAndWait!.outputs.principalId}'] : [],
    hasChecks
      ? [
          'SoD.Check=${pollACheck!.outputs.principalId}'
          'SoD.Check=${webhookCallback!.outputs.principalId}'
        ]
      : [],
    hasSummary ? ['SoD.Read=${nightlySummary!.outputs.principalId}'] : []
  ),
  ' '
)
output SOD_CATALOGS string = catalogs
output ENFORCEMENT string = settings.?ENFORCEMENT ?? 'plan'
