// What an operator has to learn. docs/how-to/operate.md says for each what to do.
param prefix string
param location string
param tags object
param workspaceId string
param insightsId string
@description('Address that is told; empty: alerts are shown in the portal only.')
param email string
param appUrl string
@description('Object id of the identity that alone writes tables, unless a person runs a command.')
param appPrincipalId string

// A query gives a row where something is wrong. Names of actions and metrics are the app's own: a test holds them.
var queries = [
  {
    name: 'poison'
    description: 'A message was given up: it lies in the container poison, with its reason. Runbook: docs/how-to/operate.md#poison'
    severity: 1
    window: 'PT15M'
    every: 'PT5M'
    quiet: 'PT1H'
    query: '''
      union isfuzzy=true
        (AppTraces | where tostring(Properties.action) == "message_poisoned"),
        (StorageQueueLogs | where OperationName == "PutMessage" and Uri has "-poison")
    '''
  }
  {
    name: 'oldest-message'
    description: 'Work waited for more than an hour. Runbook: docs/how-to/operate.md#oldest-message'
    severity: 2
    window: 'PT15M'
    every: 'PT15M'
    quiet: 'PT6H'
    query: '''
      AppMetrics
      | where Name == "entra_sod.queue.age" and tostring(Properties.queue) != "deliveries"
      | summarize oldest = max(Max) by queue = tostring(Properties.queue)
      | where oldest > 3600
    '''
  }
  {
    name: 'timer-missed'
    description: 'No sweep has ended for two nights. Runbook: docs/how-to/operate.md#timer-missed'
    severity: 1
    window: 'P2D'
    every: 'PT6H'
    quiet: 'P1D'
    query: '''
      union isfuzzy=true
        (AppTraces | where tostring(Properties.action) == "sweep_ended"),
        (AppMetrics | where Name == "entra_sod.sweep.duration")
      | summarize ended = count()
      | where ended == 0
    '''
  }
  {
    name: 'throttled'
    description: 'More than one in twenty answers of Graph was 429, for an hour. Runbook: docs/how-to/operate.md#throttled'
    severity: 3
    window: 'PT1H'
    every: 'PT1H'
    quiet: 'P1D'
    query: '''
      AppMetrics
      | where Name == "entra_sod.graph.requests"
      | summarize refused = sumif(Sum, tostring(Properties.status) == "429"), answers = sum(Sum)
      | where answers > 100 and refused / answers > 0.05
    '''
  }
  {
    name: 'references-written'
    description: 'The app, or a command, wrote or removed incompatible packages or groups in Entra. Runbook: docs/how-to/operate.md#references-written'
    severity: 3
    window: 'PT1H'
    every: 'PT1H'
    quiet: 'PT6H'
    query: '''
      AppTraces
      | where tostring(Properties.action) == "references_written"
    '''
  }
  {
    name: 'references-held'
    description: 'References are held that were not held before. A person has to review them. Runbook: docs/how-to/operate.md#references-held'
    severity: 3
    window: 'PT1H'
    every: 'PT1H'
    quiet: 'PT6H'
    query: '''
      AppTraces
      | where tostring(Properties.action) == "references_held"
    '''
  }
  {
    name: 'budget-exhausted'
    description: 'A run left writes planned, because it met MAX_REFERENCE_WRITES or MAX_REFERENCE_WRITES_PER_DAY. Runbook: docs/how-to/operate.md#budget-exhausted'
    severity: 2
    window: 'PT15M'
    every: 'PT15M'
    quiet: 'PT6H'
    query: '''
      AppTraces
      | where tostring(Properties.action) == "budget_exhausted"
    '''
  }
  {
    name: 'frozen'
    description: 'Writing has been frozen for more than a day. Runbook: docs/how-to/operate.md#frozen'
    severity: 2
    window: 'P1D'
    every: 'PT6H'
    quiet: 'P1D'
    query: '''
      AppTraces
      | where tostring(Properties.action) == "writing_frozen" and toint(Properties.hours) >= 24
    '''
  }
  {
    name: 'tables-written'
    description: 'An identity other than the app wrote to a table, such as the ledger. Runbook: docs/how-to/operate.md#tables-written'
    severity: 1
    window: 'PT15M'
    every: 'PT15M'
    quiet: 'PT1H'
    query: replace(
      '''
      StorageTableLogs
      | where Category in ("StorageWrite", "StorageDelete")
      | where RequesterObjectId != "APP"
    ''',
      'APP',
      appPrincipalId
    )
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-people'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'entra-sod'
    enabled: true
    emailReceivers: empty(email) ? [] : [{ name: 'mail', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for each in queries: {
    name: '${prefix}-${each.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${prefix}-${each.name}'
      description: each.description
      severity: each.severity
      enabled: true
      scopes: [workspaceId]
      windowSize: each.window
      evaluationFrequency: each.every
      autoMitigate: false
      muteActionsDuration: each.quiet
      skipQueryValidation: true // a new workspace has no such tables until the first line arrives
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [people.id] }
    }
  }
]

// An app without functions answers 404 here, however green its deployment was.
resource alive 'Microsoft.Insights/webtests@2022-06-15' = {
  name: '${prefix}-no-functions'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: '${prefix}-no-functions'
    Name: '${prefix}-no-functions'
    Kind: 'standard'
    Enabled: true
    Frequency: 900
    Timeout: 60
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: { RequestUrl: '${appUrl}/api/health', HttpVerb: 'GET' }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource noFunctions 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${prefix}-no-functions'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app does not answer on /api/health: it is down, or it has no functions. Runbook: docs/how-to/operate.md#no-functions'
    severity: 1
    enabled: true
    scopes: [alive.id, insightsId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: alive.id
      componentId: insightsId
      failedLocationCount: 2
    }
    actions: [{ actionGroupId: people.id }]
  }
}

output actionGroupId string = people.id
