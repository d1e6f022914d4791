# The table of the contract.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                        = "SandboxPool"
  index_names                 = { status = "StatusIndex", track = "TrackIndex", idempotency = "IdempotencyIndex" }
  point_in_time_recovery_days = 35
  deletion_protection         = true
  kms_key_arn                 = null
  warm_throughput             = null
  replicated                  = false
  replica_of                  = null
  tags                        = {}
}

run "keys_and_indexes_are_those_of_the_contract" {
  command = plan

  module {
    source = "./modules/table"
  }

  assert {
    condition     = aws_dynamodb_table.this[0].hash_key == "PK" && aws_dynamodb_table.this[0].range_key == "SK"
    error_message = "The keys are not PK and SK."
  }

  assert {
    condition = { for index in aws_dynamodb_table.this[0].global_secondary_index : index.name => "${index.hash_key} ${index.range_key} ${index.projection_type}" } == {
      StatusIndex      = "status allocated_at ALL"
      TrackIndex       = "allocated_to_track allocated_at ALL"
      IdempotencyIndex = "idempotency_key allocated_at ALL"
    }
    error_message = "The indexes are not those of the contract."
  }

  assert {
    condition = { for attribute in aws_dynamodb_table.this[0].attribute : attribute.name => attribute.type } == {
      PK = "S", SK = "S", status = "S", allocated_to_track = "S", idempotency_key = "S", allocated_at = "N"
    }
    error_message = "The attributes of keys and indexes have other types."
  }
}

run "it_is_on_demand_and_cannot_be_lost" {
  command = plan

  module {
    source = "./modules/table"
  }

  assert {
    condition     = aws_dynamodb_table.this[0].billing_mode == "PAY_PER_REQUEST"
    error_message = "The table is not on demand."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].deletion_protection_enabled && aws_dynamodb_table.this[0].point_in_time_recovery[0].enabled && aws_dynamodb_table.this[0].point_in_time_recovery[0].recovery_period_in_days == 35
    error_message = "The table could be deleted, or not restored."
  }

  assert {
    condition     = aws_dynamodb_table.this[0].ttl[0].enabled && aws_dynamodb_table.this[0].ttl[0].attribute_name == "ttl"
    error_message = "Tombstones and events would stay for ever."
  }
}

run "by_default_a_key_of_dynamodb_encrypts_it_and_nothing_extra_is_charged" {
  command = plan

  module {
    source = "./modules/table"
  }

  assert {
    condition     = length(aws_dynamodb_table.this[0].server_side_encryption) == 0 && !aws_dynamodb_table.this[0].stream_enabled && length(terraform_data.warm_throughput) == 0
    error_message = "A key, a stream or warm throughput is there although nobody asked for it."
  }
}

run "a_key_of_ones_own" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/0a1b"
  }

  assert {
    condition     = aws_dynamodb_table.this[0].server_side_encryption[0].enabled && aws_dynamodb_table.this[0].server_side_encryption[0].kms_key_arn == var.kms_key_arn
    error_message = "The key that was given does not encrypt the table."
  }
}

run "other_names" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    name        = "Pool"
    index_names = { status = "ByStatus", track = "ByTrack", idempotency = "ByKey" }
  }

  assert {
    condition     = toset([for index in aws_dynamodb_table.this[0].global_secondary_index : "${index.name} ${index.hash_key}"]) == toset(["ByStatus status", "ByTrack allocated_to_track", "ByKey idempotency_key"])
    error_message = "A name went to another index."
  }
}

run "two_indexes_of_one_name_are_refused" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    index_names = { status = "Index", track = "Index", idempotency = "Key" }
  }

  expect_failures = [var.index_names]
}

run "warm_throughput_for_the_table_and_every_index" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    warm_throughput = { read_units_per_second = 12000, write_units_per_second = 8000 }
  }

  assert {
    condition     = length(terraform_data.warm_throughput) == 1
    error_message = "Warm throughput is not set."
  }
}

run "less_than_every_table_has_is_refused" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    warm_throughput = { read_units_per_second = 12000, write_units_per_second = 1000 }
  }

  expect_failures = [var.warm_throughput]
}

run "a_table_with_replicas_has_the_stream_that_they_need" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    replicated = true
  }

  assert {
    condition     = aws_dynamodb_table.this[0].stream_enabled && aws_dynamodb_table.this[0].stream_view_type == "NEW_AND_OLD_IMAGES"
    error_message = "A replica could not be made."
  }
}

run "a_replica_instead_of_a_table" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    replica_of = { table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/SandboxPool" }
  }

  assert {
    condition     = length(aws_dynamodb_table.this) == 0 && aws_dynamodb_table_replica.this[0].global_table_arn == var.replica_of.table_arn
    error_message = "The replica is not made, or a table of its own is."
  }

  assert {
    condition     = aws_dynamodb_table_replica.this[0].point_in_time_recovery && aws_dynamodb_table_replica.this[0].deletion_protection_enabled
    error_message = "The replica could be deleted, or not restored."
  }
}

run "a_time_that_cannot_be_restored_is_refused" {
  command = plan

  module {
    source = "./modules/table"
  }

  variables {
    point_in_time_recovery_days = 36
  }

  expect_failures = [var.point_in_time_recovery_days]
}
