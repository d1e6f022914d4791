data "aws_region" "current" {}

locals {
  is_replica = var.replica_of != null

  # Every index has the same sort key and projects every attribute.
  indexes = {
    (var.index_names.status)      = "status"
    (var.index_names.track)       = "allocated_to_track"
    (var.index_names.idempotency) = "idempotency_key"
  }

  arn = local.is_replica ? aws_dynamodb_table_replica.this[0].arn : aws_dynamodb_table.this[0].arn
}

resource "aws_dynamodb_table" "this" {
  count = local.is_replica ? 0 : 1

  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "PK"
  range_key    = "SK"

  deletion_protection_enabled = var.deletion_protection

  stream_enabled   = var.replicated
  stream_view_type = var.replicated ? "NEW_AND_OLD_IMAGES" : null

  dynamic "attribute" {
    for_each = merge({ PK = "S", SK = "S", allocated_at = "N" }, { for key in values(local.indexes) : key => "S" })

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = local.indexes

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value
      range_key       = "allocated_at"
      projection_type = "ALL"
    }
  }

  ttl {
    enabled        = true
    attribute_name = "ttl"
  }

  point_in_time_recovery {
    enabled                 = true
    recovery_period_in_days = var.point_in_time_recovery_days
  }

  # Without this block DynamoDB encrypts with a key of its own, free of charge.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  tags = var.tags

  lifecycle {
    # A replica is a resource of its own in its own region (below); this table only lists it.
    ignore_changes = [replica]
  }
}

resource "aws_dynamodb_table_replica" "this" {
  count = local.is_replica ? 1 : 0

  global_table_arn            = var.replica_of.table_arn
  kms_key_arn                 = var.kms_key_arn
  point_in_time_recovery      = true
  deletion_protection_enabled = var.deletion_protection

  tags = var.tags
}

# Warm throughput is an argument of aws_dynamodb_table from version 6.13 of the AWS provider on; until this module
# is verified with that, the AWS CLI sets it.
resource "terraform_data" "warm_throughput" {
  count = var.warm_throughput != null && !local.is_replica ? 1 : 0

  triggers_replace = [aws_dynamodb_table.this[0].arn, var.warm_throughput, keys(local.indexes)]

  provisioner "local-exec" {
    command = "${path.module}/warm-throughput.sh"
    environment = {
      REGION      = data.aws_region.current.id
      TABLE_NAME  = aws_dynamodb_table.this[0].name
      INDEX_NAMES = join(" ", keys(local.indexes))
      READ_UNITS  = var.warm_throughput.read_units_per_second
      WRITE_UNITS = var.warm_throughput.write_units_per_second
    }
  }
}
