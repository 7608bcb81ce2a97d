// The sweeps' metrics, night by night.
param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'sweeps')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'entra-sod: sweeps'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string(loadJsonContent('workbook.json'))
  }
}
