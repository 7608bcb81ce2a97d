// The function app on Flex Consumption, its settings, and who may call it.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
@description('Identity that the package is stored and fetched by, and the container it lies in.')
param packageIdentityId string
param packageUri string
@description('Entra application of the API; empty: no token is looked at, callers need a key.')
param apiClientId string
@description('Refuse callers without a token, but on the paths that have their own proof or none to give.')
param requireToken bool
@description('Paths whose callers prove themselves otherwise, by a signature.')
param openPaths string[]
@description('Key in the app\'s settings → its value; what is empty is left to the app\'s own default.')
param settings { *: string }
@description('Key in the app\'s settings → name of a Key Vault secret.')
param vaultSettings { *: string }
param vaultUri string
param blobUri string
param queueUri string
param tableUri string
param insightsConnectionString string
@description('Subnet that the app goes out by; empty for the public way.')
param subnetId string
param workspaceId string
@allowed([2048, 4096])
param instanceMemoryMB int
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int
@description('Instances that are kept warm, by http or function:NAME.')
param alwaysReady { name: string, instanceCount: int }[]

var connection = 'AzureWebJobsStorage'
var platformSettings = {
  AZURE_CLIENT_ID: identityClientId
  '${connection}__credential': 'managedidentity'
  '${connection}__clientId': identityClientId
  '${connection}__blobServiceUri': blobUri
  '${connection}__queueServiceUri': queueUri
  '${connection}__tableServiceUri': tableUri
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY: 'true'
  // The app's own records alone are exported, and no calls of libraries: their addresses name persons.
  PYTHON_APPLICATIONINSIGHTS_LOGGER_NAME: 'entra_sod'
  OTEL_PYTHON_DISABLED_INSTRUMENTATIONS: 'azure_sdk,django,fastapi,flask,httpx,httpx2,psycopg2,requests,urllib,urllib3'
}
var ownSettings = toObject(filter(items(settings), each => !empty(each.value)), each => each.key, each => each.value)
var secretSettings = mapValues(vaultSettings, secret => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${secret})')
// They tell nothing that is not public.
var publicPaths = [
  '/api/health'
  '/api/openapi.json'
  '/api/console'
]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {}, '${packageIdentityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: packageIdentityId
          }
        }
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(ownSettings, secretSettings, platformSettings)
  }

  resource noFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource signIn 'config' = if (!empty(apiClientId)) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      httpSettings: { requireHttps: true }
      globalValidation: {
        requireAuthentication: requireToken
        unauthenticatedClientAction: requireToken ? 'Return401' : 'AllowAnonymous'
        excludedPaths: concat(publicPaths, openPaths)
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: apiClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [apiClientId, 'api://${apiClientId}'] }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}

// Beside Application Insights: what the host says when the app does not even start.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
