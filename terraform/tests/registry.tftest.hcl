# The repository of the images.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "broker"
  kept_images = 20
  kms_key_arn = null
  deletable   = false
  tags        = {}
}

run "images_are_scanned_and_tags_stay_what_they_are" {
  command = plan

  module {
    source = "./modules/registry"
  }

  assert {
    condition     = aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && !aws_ecr_repository.this.force_delete
    error_message = "Images are not scanned, a tag can change, or images can be lost."
  }
}

run "old_images_go_and_the_last_ones_stay" {
  command = plan

  module {
    source = "./modules/registry"
  }

  variables {
    kept_images = 5
  }

  assert {
    condition     = jsonencode([for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : rule.selection if rule.selection.countType == "imageCountMoreThan"]) == jsonencode([{ tagStatus = "tagged", tagPatternList = ["*"], countType = "imageCountMoreThan", countNumber = 5 }])
    error_message = "Another number of images is kept, or the parts of an image for several processors are counted as images."
  }
}

run "no_image_to_roll_back_to_is_refused" {
  command = plan

  module {
    source = "./modules/registry"
  }

  variables {
    kept_images = 1
  }

  expect_failures = [var.kept_images]
}
