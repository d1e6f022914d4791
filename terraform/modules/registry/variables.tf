variable "name" {
  description = "Name of the repository."
  type        = string
}

variable "kept_images" {
  description = "Tagged images that are kept for roll-back; older ones are removed."
  type        = number

  validation {
    condition     = var.kept_images >= 2 && floor(var.kept_images) == var.kept_images
    error_message = "kept_images must be a whole number, at least 2: the one that runs and the one before it."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the images; null uses AES-256 with a key of Amazon S3."
  type        = string
}

variable "deletable" {
  description = "Whether the repository may be destroyed while it holds images."
  type        = bool
}

variable "tags" {
  description = "Tags of everything that takes tags."
  type        = map(string)
}
