// What a custodian may of storage: what the commands `apply`, `freeze`, `selection approve`, `rollback` and `erase` change. The
// evidence of `apply` and `rollback` is sealed by the command itself, which moves the head of the chain. Sealed evidence stays
// immutable for its time, so a head that was moved back is found by `entra-sod evidence verify`.
import { roles } from '../roles.bicep'

param storageName string
param principalId string

var containers = [
  { name: 'checks', role: roles.storageBlobDataContributor }
  { name: 'sweeps', role: roles.storageBlobDataContributor }
  { name: 'evidence', role: roles.storageBlobDataContributor }
  { name: 'evidence-drafts', role: roles.storageBlobDataContributor }
  { name: 'events', role: roles.storageBlobDataContributor }
  { name: 'selections', role: roles.storageBlobDataContributor }
]
// What a command announces. The app sends it: a custodian sees no address of a subscription.
var queues = [
  { name: 'deliveries', role: roles.storageQueueDataMessageSender }
]
var tables = [
  { name: 'controls', role: roles.storageTableDataContributor }
  { name: 'ledger', role: roles.storageTableDataContributor }
  { name: 'findings', role: roles.storageTableDataContributor }
  { name: 'checks', role: roles.storageTableDataContributor }
  { name: 'selections', role: roles.storageTableDataContributor }
  { name: 'evidence', role: roles.storageTableDataContributor }
  { name: 'sweeps', role: roles.storageTableDataReader }
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
