// Entra's custom extension calls this workflow when access is requested, and waits. The workflow asks the
// app for a decision and resumes the request with it. docs/how-to/launch-and-wait.md has the steps around it.
targetScope = 'resourceGroup'

@description('Name of the workflow. With the resource group it makes a resource id of at most 150 characters.')
@maxLength(43)
param name string = 'entra-sod-launch-and-wait'
param location string = resourceGroup().location
param tags object = {}

@description('Address of the app, such as https://contoso-sod.azurewebsites.net, without a slash at its end.')
param appUrl string
@description('Audience of the app\'s own API, such as api://…: the workflow asks for a token for it.')
param appAudience string
@description('App id of the Entra governance service that calls. A custom extension made in the portal shows it in its workflow\'s authorization policy.')
param governanceAppId string
@description('What the resumed request says about who answered.')
param source string = 'entra-sod'
@description('What a decision "review" does: leave the request waiting and tell a person, deny, or continue with the reason, which is for policies with an approver: without one Entra then grants, and no person has looked.')
@allowed(['wait', 'deny', 'continue'])
param onReview string = 'wait'
@description('Page with the evidence, for the approver to open. The app answers callers with a key or token only, so it is a page of yours; empty for no link.')
param evidenceUrl string = ''
@description('Resource id of the Azure Monitor action group, with a receiver in it, that is told when a request keeps waiting.')
param actionGroupId string
@description('Also POST a text to this https address when a request keeps waiting; empty for nowhere.')
@secure()
param tellUrl string = ''

var workflowId = resourceId('Microsoft.Logic/workflows', name)

resource workflow 'Microsoft.Logic/workflows@2019-05-01' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    state: 'Enabled'
    definition: loadJsonContent('launch-and-wait.json')
    parameters: {
      appUrl: { value: appUrl }
      appAudience: { value: appAudience }
      source: { value: source }
      onReview: { value: onReview }
      evidenceUrl: { value: evidenceUrl }
      tellUrl: { value: tellUrl }
    }
    // Any: the types of this API version know neither proof of possession nor the switch for SAS.
    accessControl: any({
      triggers: {
        openAuthenticationPolicies: {
          policies: {
            entraProofOfPossession: {
              type: 'AADPOP'
              claims: [
                { name: 'iss', value: 'https://sts.windows.net/${tenant().tenantId}/' }
                { name: 'appid', value: governanceAppId }
                { name: 'm', value: 'POST' }
                // The claim's value is this host in the only cloud that can resume.
                #disable-next-line no-hardcoded-env-urls
                { name: 'u', value: 'management.azure.com' }
                { name: 'p', value: workflowId }
              ]
            }
          }
        }
        sasAuthenticationPolicy: { state: 'Disabled' }
      }
    })
  }
}

// A run ends as failed whenever it answered nothing, and this needs no connector and no consent. Not resolved by
// itself: an alert that is still fired would keep quiet about the next request.
resource keepsWaiting 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-keeps-waiting'
  location: 'global'
  tags: tags
  properties: {
    description: 'An access request was not answered: where it waits, it keeps waiting for a person.'
    severity: 2
    enabled: true
    autoMitigate: false
    scopes: [workflow.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'failed'
          metricName: 'RunsFailed'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

@description('For entra-sod hook install --logic-app.')
output workflowId string = workflow.id
@description('Give it Access package assignment manager on the catalog, and the app role that decides.')
output principalId string = workflow.identity.principalId
