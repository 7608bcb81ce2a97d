// What an operator may of storage, place by place: push rules, send poison messages again, and read what the command
// line shows. None of it reaches the deployed package, and what the app has found and written is read only.
import { roles } from '../roles.bicep'

param storageName string
param principalId string

var containers = [
  { name: 'rules', role: roles.storageBlobDataContributor }
  { name: 'poison', role: roles.storageBlobDataContributor }
  { name: 'sweeps', role: roles.storageBlobDataReader }
  { name: 'evidence', role: roles.storageBlobDataReader }
  { name: 'selections', role: roles.storageBlobDataReader }
]
var queues = [
  { name: 'conflict-checks', role: roles.storageQueueDataMessageSender }
  { name: 'sweep-pairs', role: roles.storageQueueDataMessageSender }
  { name: 'deliveries', role: roles.storageQueueDataMessageSender }
]
// A check that is sent again is queued in its row.
var tables = [
  { name: 'checks', role: roles.storageTableDataContributor }
  { name: 'sweeps', role: roles.storageTableDataReader }
  { name: 'findings', role: roles.storageTableDataReader }
  { name: 'ledger', role: roles.storageTableDataReader }
  { name: 'controls', role: roles.storageTableDataReader }
  { name: 'evidence', role: roles.storageTableDataReader }
  { name: 'selections', role: roles.storageTableDataReader }
]

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = { name: storageName }

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2023-05-01' existing = {
  parent: account
  name: 'default'
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01' existing = [
  for each in containers: { parent: blobService, name: each.name }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2023-05-01' existing = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2023-05-01' existing = [
  for each in queues: { parent: queueService, name: each.name }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2023-05-01' existing = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2023-05-01' existing = [
  for each in tables: { parent: tableService, name: each.name }
]

resource onContainer 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, place) in containers: {
    name: guid(container[place].id, principalId, each.role)
    scope: container[place]
    properties: {
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource onQueue 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, place) in queues: {
    name: guid(queue[place].id, principalId, each.role)
    scope: queue[place]
    properties: {
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]

resource onTable 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, place) in tables: {
    name: guid(table[place].id, principalId, each.role)
    scope: table[place]
    properties: {
      principalId: principalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', each.role)
    }
  }
]
