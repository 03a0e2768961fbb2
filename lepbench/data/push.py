"""A finished triplet folder to the hub, as a data set that `datasets.load_dataset` opens by its name."""

from __future__ import annotations

from pathlib import Path

from lepbench.data.build import REJECTED
from lepbench.data.card import CARD, HISTOGRAMS, SHEET
from lepbench.data.check import check
from lepbench.data.manifest import MANIFEST, Manifest
from lepbench.data.shards import plan_shards
from lepbench.hub import report_upload_errors
from lepbench.progress import Progress


def push(
    folder: Path, repo_id: str, progress: Progress, private: bool = False, revision: str | None = None
) -> str:
    """Check a folder, then upload the files of the build, and no others.

    Args:
        repo_id: `owner/name`; made where there is none.
        progress: called with (stage, done, total): shards checked, then files uploaded.
        private: whether a new repository is.
        revision: a branch, made where there is none; None for the main one.

    Returns:
        The commit's address.

    Raises:
        LepbenchError: the folder is not what its manifest says, or the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi

    manifest = check(folder, progress)
    api = HfApi()
    names = files(manifest)
    progress("files uploaded", 0, len(names))
    with report_upload_errors(repo_id):
        api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        if revision is not None:
            api.create_branch(repo_id, branch=revision, repo_type="dataset", exist_ok=True)
        # This call resumes: it skips committed and uploaded files, like upload_large_folder,
        # but keeps no state in the folder, which `build-data` and `verify` would find there.
        # Existing shards of another plan would be read along with these, so they are removed.
        commit = api.upload_folder(
            repo_id=repo_id,
            repo_type="dataset",
            folder_path=folder,
            revision=revision,
            allow_patterns=names,
            delete_patterns=["data/*.parquet", "shards/*.json"],
            commit_message=f"{manifest.written} triplets, sha256 {manifest.sha256}",
        )
    progress("files uploaded", len(names), len(names))
    return str(commit.commit_url)


def files(manifest: Manifest) -> list[str]:
    """What a finished folder consists of, relative to it."""
    made = [name for piece in plan_shards(manifest.recipe) for name in (piece.data, piece.record)]
    return [MANIFEST, CARD, SHEET, HISTOGRAMS, REJECTED, *made]
