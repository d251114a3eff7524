"""Readers: any trace file in, trajectories and read errors out. One file a format."""

from agenther.readers.adp import AdpReader
from agenther.readers.agent_reward_bench import AgentRewardBenchReader
from agenther.readers.agenther_json import AgentHERReader
from agenther.readers.agentlab import AgentLabReader
from agenther.readers.agentrx import AgentRxReader
from agenther.readers.atif import AtifReader
from agenther.readers.base import Item, Reader
from agenther.readers.bfcl import BfclReader
from agenther.readers.claude_code import ClaudeCodeReader
from agenther.readers.fireact import FireActReader
from agenther.readers.inspect_log import InspectReader
from agenther.readers.intercode import InterCodeReader
from agenther.readers.mint import MintReader
from agenther.readers.nemo_gym import NemoGymReader
from agenther.readers.openai_chat import OpenAIChatReader
from agenther.readers.swe_agent import SweAgentReader
from agenther.readers.swe_smith import SweSmithReader
from agenther.readers.tau_bench import TauBenchReader
from agenther.readers.toolbench import ToolBenchReader
from agenther.readers.tooleval import ToolEvalReader
from agenther.readers.webarena_html import WebArenaHtmlReader
from agenther.readers.webarena_json import WebArenaJsonReader
from agenther.readers.webarena_verified import WebArenaVerifiedReader
from agenther.readers.webshop_react import WebShopReactReader
from agenther.readers.who_and_when import WhoAndWhenReader

_BUILT_IN: tuple[Reader, ...] = (
    AtifReader(),
    NemoGymReader(),
    ClaudeCodeReader(),
    InspectReader(),
    AdpReader(),
    BfclReader(),
    AgentLabReader(),
    AgentRewardBenchReader(),
    WebArenaHtmlReader(),
    WebArenaJsonReader(),
    WebArenaVerifiedReader(),
    WebShopReactReader(),
    InterCodeReader(),
    MintReader(),
    FireActReader(),
    AgentHERReader(),
    ToolBenchReader(),
    ToolEvalReader(),
    TauBenchReader(),
    WhoAndWhenReader(),
    AgentRxReader(),
    SweAgentReader(),
    SweSmithReader(),
    OpenAIChatReader(),
)

READERS: dict[str, Reader] = {reader.format: reader for reader in _BUILT_IN}
"""Format name to its reader, in the order in which files are sniffed: the most particular first."""

__all__ = ["READERS", "Item", "Reader"]
