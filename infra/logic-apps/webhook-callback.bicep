// Checks a pair of packages by callback: the run sleeps until the app calls, then reads the result itself.
targetScope = 'resourceGroup'

param name string = 'entra-sod-webhook-callback'
param location string = resourceGroup().location
param tags object = {}

@description('Address of the app, such as https://contoso-sod.azurewebsites.net, without a slash at its end.')
param appUrl string
@description('Audience of the app\'s own API, such as api://…: the workflow asks for a token for it.')
param appAudience string
@description('Object id of the identity that may call the workflow.')
param callerObjectId string

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: loadJsonContent('webhook-callback.json')
    parameters: {
      appUrl: { value: appUrl }
      appAudience: { value: appAudience }
    }
    // Any: the types of this API version do not know the switch for SAS.
    accessControl: any({
      triggers: {
        openAuthenticationPolicies: {
          policies: {
            caller: {
              type: 'AAD'
              claims: [
                { name: 'iss', value: 'https://sts.windows.net/${tenant().tenantId}/' }
                { name: 'aud', value: environment().resourceManager }
                { name: 'oid', value: callerObjectId }
              ]
            }
          }
        }
        sasAuthenticationPolicy: { state: 'Disabled' }
      }
    })
  }
}

output workflowId string = workflow.id
@description('Give it the app role that checks.')
output principalId string = workflow.identity.principalId
