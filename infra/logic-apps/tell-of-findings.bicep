// Receives the app's events on findings: a digest goes to a Teams channel, a finding to a ticketing system.
// What it could not hand on it answers with 502, and the app tells it again for a day.
targetScope = 'resourceGroup'

param name string = 'entra-sod-tell-of-findings'
param location string = resourceGroup().location
param tags object = {}

@description('Where tickets are opened and closed by correlation_id, such as a ServiceNow import set that coalesces on it, or an incoming webhook of Jira Automation. It lets any holder post.')
@secure()
param ticketsUrl string
@description('Address of the channel\'s workflow "when a webhook request is received". It lets any holder post.')
@secure()
param teamsUrl string

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: loadJsonContent('tell-of-findings.json')
    parameters: {
      ticketsUrl: { value: ticketsUrl }
      teamsUrl: { value: teamsUrl }
    }
  }
}

output workflowId string = workflow.id
