// Posts the outcome of the last sweep to a Teams channel every day, or says that there is none.
targetScope = 'resourceGroup'

param name string = 'entra-sod-nightly-summary'
param location string = resourceGroup().location
param tags object = {}

@description('Address of the app, such as https://contoso-sod.azurewebsites.net, without a slash at its end.')
param appUrl string
@description('Audience of the app\'s own API, such as api://…: the workflow asks for a token for it.')
param appAudience string
@description('Address of the channel\'s workflow "when a webhook request is received". It lets any holder post.')
@secure()
param teamsUrl string
@description('Hour of the day, UTC; a few hours behind SWEEP_SCHEDULE.')
@minValue(0)
@maxValue(23)
param hour int = 6

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: union(loadJsonContent('nightly-summary.json'), {
      triggers: { Every_morning: { recurrence: { schedule: { hours: [hour] } } } }
    })
    parameters: {
      appUrl: { value: appUrl }
      appAudience: { value: appAudience }
      teamsUrl: { value: teamsUrl }
    }
  }
}

output workflowId string = workflow.id
@description('Give it the app role that reads.')
output principalId string = workflow.identity.principalId
